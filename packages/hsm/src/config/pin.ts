/** Where a PIN may come from. All are read, so that two that differ are found before one is tried. */
import { readSync } from 'node:fs'
import { equalBytes, Fault, Secret, wipe } from '@quorate/base'
import { readFile } from '@quorate/platform'

export const MAX_PIN_BYTES = 1024

/** The bytes without the line end that editors add. Wipes `bytes`. @throws hsm/bad-pin */
function pinOf(bytes: Uint8Array, where: string): Secret<Uint8Array> {
  let { length } = bytes
  if (bytes[length - 1] === 0x0a) length -= bytes[length - 2] === 0x0d ? 2 : 1
  const pin = bytes.slice(0, length)
  wipe(bytes)
  if (pin.length >= 1 && pin.length <= MAX_PIN_BYTES) return new Secret(pin)
  wipe(pin)
  throw new Fault('hsm/bad-pin', { detail: `${where}: 1 to ${MAX_PIN_BYTES} bytes are needed` })
}

/** The PIN in a file that nobody else may read. @throws platform/file-unreadable, platform/file-too-large, hsm/bad-pin */
export const pinFromFile = (path: string): Secret<Uint8Array> =>
  pinOf(readFile(path, { maxBytes: MAX_PIN_BYTES + 2, isSecret: true }), path)

/** The PIN that a descriptor of this process gives until its end. @throws hsm/bad-pin */
export function pinFromDescriptor(fd: number): Secret<Uint8Array> {
  const buffer = new Uint8Array(MAX_PIN_BYTES + 3)
  let have = 0
  try {
    for (;;) {
      const more = readSync(fd, buffer, have, buffer.length - have, null)
      have += more
      if (more === 0 || have === buffer.length) break
    }
    return pinOf(buffer.slice(0, have), `descriptor ${fd}`)
  } catch (cause) {
    if (cause instanceof Fault) throw cause
    const { code } = cause as NodeJS.ErrnoException
    throw new Fault('hsm/bad-pin', { detail: `descriptor ${fd} cannot be read (${code})`, cause })
  } finally {
    wipe(buffer)
  }
}

/** Where a PIN came from. */
export type PinFrom = {
  readonly origin: 'file' | 'descriptor' | 'prompt' | 'environment'
  /** The file, where it is known. */
  readonly path?: string | undefined
}

export type PinSource = {
  readonly from: PinFrom
  /** For messages. */
  readonly where: string
  readonly read: () => Secret<Uint8Array>
}

export type GivenPin = { readonly pin: Secret<Uint8Array>; readonly from: PinFrom }

/** The one PIN that all sources agree on, if there is any. @throws platform/settings-disagree */
export function onePin(sources: readonly PinSource[]): GivenPin | undefined {
  let first: (GivenPin & { readonly where: string }) | undefined
  for (const { from, where, read } of sources) {
    const pin = read()
    if (first === undefined) {
      first = { where, from, pin }
      continue
    }
    const agrees = equalBytes(first.pin.expose(), pin.expose())
    pin[Symbol.dispose]()
    if (agrees) continue
    first.pin[Symbol.dispose]()
    throw new Fault('platform/settings-disagree', {
      detail: `hsm.pin: ${first.where} and ${where}`,
    })
  }
  return first
}

/** A file as a source of the PIN. */
export const pinFile = (path: string, where: string): PinSource => ({
  from: { origin: 'file', path },
  where,
  read: () => pinFromFile(path),
})
