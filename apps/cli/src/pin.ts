/** Asking for a PIN at the terminal, without showing it. */
import { Fault, Secret, wipe } from '@quorate/base'

const MAX_BYTES = 1024
const [ENTER, NEWLINE, BACKSPACE, DELETE, CTRL_C, CTRL_D] = [13, 10, 8, 127, 3, 4]

/** What is typed, in UTF-8; `undefined` where there is no terminal to ask at. @throws cli/not-confirmed on Ctrl-C */
export function askSecret(question: string): Promise<Secret<Uint8Array> | undefined> {
  const { stdin, stderr } = process
  if (!stdin.isTTY || !stderr.isTTY) return Promise.resolve(undefined)
  stderr.write(question)
  stdin.setRawMode(true)
  const typed = new Uint8Array(MAX_BYTES)
  let length = 0
  return new Promise((resolve, reject) => {
    const end = (): void => {
      stdin.off('data', take)
      stdin.setRawMode(false)
      stdin.pause()
      stderr.write('\n')
    }
    const take = (chunk: Buffer): void => {
      try {
        for (const byte of chunk) {
          if (byte === CTRL_C) throw new Fault('cli/not-confirmed', { detail: 'the PIN' })
          if (byte === ENTER || byte === NEWLINE || byte === CTRL_D) {
            end()
            const secret = typed.slice(0, length)
            wipe(typed)
            resolve(length === 0 ? undefined : new Secret(secret))
            return
          }
          if (byte === BACKSPACE || byte === DELETE) length = lastStart(typed, length)
          else if (length < MAX_BYTES) typed[length++] = byte
        }
      } catch (error) {
        wipe(typed)
        end()
        reject(error)
      } finally {
        chunk.fill(0)
      }
    }
    stdin.on('data', take)
    stdin.resume()
  })
}

/** Where the last character begins: one of UTF-8 may have several bytes. */
function lastStart(bytes: Uint8Array, length: number): number {
  let at = Math.max(0, length - 1)
  while (at > 0 && ((bytes[at] ?? 0) & 0xc0) === 0x80) at--
  return at
}
