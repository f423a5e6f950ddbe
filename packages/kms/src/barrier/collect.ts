/** Has the garbage collector run now. */
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'

let collect: (() => void) | undefined

function collector(): () => void {
  setFlagsFromString('--expose-gc')
  const found = runInNewContext('gc') as () => void
  setFlagsFromString('--no-expose-gc')
  return found
}

/**
 * Frees what nothing refers to any more. OpenSSL clears a key when it is freed, but that a key may be freed
 * only the collector finds out; without this it could lie in memory for hours after sealing.
 */
export function collectGarbage(): void {
  collect ??= collector()
  collect()
}
