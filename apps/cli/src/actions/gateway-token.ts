/** gateway token. */
import { Fault, isName } from '@quorate/base'
import { newToken } from '@quorate/gateway'
import { systemRandom } from '@quorate/platform'
import type { Run } from '../command.ts'

export const token: Run = async (given, output) => {
  const name = given.argument(0)
  if (!isName(name))
    throw new Fault('cli/bad-value', { detail: 'NAME takes letters, digits, - _ and ., up to 64' })
  const made = newToken(name, systemRandom)
  output.result({ name, ...made }, () => [made.token])
  output.note(
    'The caller sends it as Authorization: Bearer; it is shown once and kept nowhere.',
    'Add this line to the file that the gateway has as --tokens, and start it again:',
    `  ${made.line}`,
  )
}
