/** A process that counts for ever in the state of its argument, and prints each number once it is resolved. */
import { int } from '@quorate/base'
import { openHsmState } from '@quorate/hsm'

// The test runner starts every file of a test directory, without an argument.
const [, , directory] = process.argv
if (directory !== undefined) {
  const state = await openHsmState(directory)
  for (;;) {
    const value = await state.update('n', int(), (old = 0) => old + 1)
    process.stdout.write(`${value}\n`)
  }
}
