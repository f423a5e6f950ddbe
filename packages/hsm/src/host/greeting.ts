/**
 * What a new provider host is told before anything else, over a descriptor that it inherited: where
 * the device is, and the PIN. Nothing of it stands in arguments, environment or files.
 */
import { readSync } from 'node:fs'
import { Fault, wipe } from '@quorate/base'
import type { DeviceSettings } from '../device.ts'
import { getU32, mapped, maybe, putU32, readAll, struct, text, view, Writer } from './wire.ts'

/** Of the host: where it is greeted and told which sessions to start. */
export const CONTROL_FD = 3
/** Of the host: the connection of its first session; those of the others follow. */
export const FIRST_SESSION_FD = 4

const MAX_PIN_BYTES = 1024
const MAX_SETTINGS_BYTES = 1 << 16
const LENGTH_BYTES = 4

type Greeting = { readonly settings: DeviceSettings; readonly pin?: Uint8Array }

const greeting = struct<Greeting>({
  settings: mapped(
    text(MAX_SETTINGS_BYTES),
    (json) => JSON.parse(json) as DeviceSettings,
    (settings) => JSON.stringify(settings),
  ),
  pin: maybe(view(MAX_PIN_BYTES)),
})

/** The bytes to send; wipe them afterwards. @throws hsm/bad-argument for a PIN that is too long */
export function greetingBytes(settings: DeviceSettings, pin: Uint8Array | undefined): Uint8Array {
  const out = new Writer()
  try {
    out.u32(0)
    greeting.write(out, pin === undefined ? { settings } : { settings, pin })
    const taken = out.take()
    putU32(taken, 0, taken.length - LENGTH_BYTES)
    return taken
  } finally {
    out.drop()
  }
}

/** Blocks until the greeting has come. The PIN is in memory that threads share, and nowhere else. @throws base/malformed */
export function readGreeting(fd: number): {
  settings: DeviceSettings
  pin: SharedArrayBuffer | undefined
} {
  const length = getU32(readExactly(fd, LENGTH_BYTES), 0)
  if (length > MAX_SETTINGS_BYTES + MAX_PIN_BYTES + 64)
    throw new Fault('base/malformed', { detail: 'the greeting is too long' })
  const received = readExactly(fd, length)
  try {
    const { settings, pin } = readAll(greeting, received)
    if (pin === undefined) return { settings, pin: undefined }
    const shared = new SharedArrayBuffer(pin.length)
    new Uint8Array(shared).set(pin)
    return { settings, pin: shared }
  } finally {
    wipe(received)
  }
}

function readExactly(fd: number, length: number): Uint8Array {
  const into = new Uint8Array(length)
  for (let have = 0; have < length; ) {
    const more = readSync(fd, into, have, length - have, null)
    if (more === 0) throw new Fault('base/malformed', { detail: 'the greeting ends early' })
    have += more
  }
  return into
}
