/**
 * A thread of the provider host: one session with the device, and one connection to the parent. It
 * reads, calls and writes in turn, and blocks in each, because it has nothing else to do: so neither
 * an event loop nor another thread stands between a request and the device.
 */
import { readSync, writeSync } from 'node:fs'
import { workerData } from 'node:worker_threads'
import { Fault, Secret, wipe } from '@quorate/base'
import type { DeviceSession } from '../device.ts'
import type { Drivers } from './drivers.ts'
import {
  faultFrame,
  frameLength,
  HEADER_BYTES,
  readyFrame,
  requestHead,
  responseFrame,
} from './frames.ts'
import { FIRST_SESSION_FD } from './greeting.ts'
import { lingererAt } from './linger.ts'
import { OPERATIONS, operationOf } from './operations.ts'
import type { ThreadData } from './process-main.ts'
import { readAll } from './wire.ts'

const BUFFER_BYTES = 1 << 16

/** Serves a session until the parent ends it. @throws base/malformed for a frame that it should not have sent */
export async function serveSession(drivers: Drivers): Promise<void> {
  const data = workerData as ThreadData
  let session: DeviceSession
  try {
    session = await open(drivers, data)
  } catch (error) {
    send(data.fd, faultFrame(0, error))
    return
  }
  send(data.fd, readyFrame())
  const requests = new RequestStream(data.fd)
  // Requests that come one after the other all come to the first session.
  const linger = data.fd === FIRST_SESSION_FD ? lingererAt(data.fd) : undefined
  for (let frame = requests.next(); frame !== undefined; frame = requests.next()) {
    const { id, code } = requestHead(frame)
    send(data.fd, respond(session, id, code, frame))
    wipe(frame)
    if (code === OPERATIONS.close.code) return
    linger?.()
  }
  session.close()
}

async function open(drivers: Drivers, { settings, pin, gate }: ThreadData): Promise<DeviceSession> {
  const driver = Object.hasOwn(drivers, settings.driver) ? drivers[settings.driver] : undefined
  if (driver === undefined) throw new Fault('hsm/unknown-type', { detail: 'of driver' })
  const openDevice = await driver()
  return openDevice(
    settings,
    pin === undefined ? undefined : new Secret(new Uint8Array(pin).slice()),
    gate,
  )
}

function respond(session: DeviceSession, id: number, code: number, frame: Uint8Array): Uint8Array {
  const operation = operationOf(code)
  if (operation === undefined)
    throw new Fault('base/malformed', { detail: 'frame: an unknown operation' })
  const request = readAll(operation.request, frame, HEADER_BYTES)
  try {
    const result = operation.run(session, request)
    const response = responseFrame(id, operation.response, result)
    if (result instanceof Uint8Array) wipe(result)
    return response
  } catch (error) {
    return faultFrame(id, error)
  }
}

/** Writes the frame and wipes it. */
function send(fd: number, frame: Uint8Array): void {
  for (let at = 0; at < frame.length; ) at += writeSync(fd, frame, at, frame.length - at)
  wipe(frame)
}

/** Frames from a descriptor, one at a time. */
class RequestStream {
  readonly #fd: number
  #buffer = new Uint8Array(BUFFER_BYTES)

  constructor(fd: number) {
    this.#fd = fd
  }

  /** A view that is good until the next call; `undefined` when the parent has closed its end. */
  next(): Uint8Array | undefined {
    if (this.#buffer.length > BUFFER_BYTES) this.#buffer = new Uint8Array(BUFFER_BYTES)
    for (let have = 0, whole: number | undefined; ; ) {
      const more = readSync(this.#fd, this.#buffer, have, this.#buffer.length - have, null)
      if (more === 0) return undefined
      have += more
      whole ??= frameLength(this.#buffer, have)
      if (whole === undefined) continue
      if (have > whole) throw new Fault('base/malformed', { detail: 'frame: two at once' })
      if (have === whole) return this.#buffer.subarray(0, whole)
      this.#reserve(whole, have)
    }
  }

  #reserve(length: number, have: number): void {
    if (length <= this.#buffer.length) return
    const larger = new Uint8Array(length)
    larger.set(this.#buffer.subarray(0, have))
    wipe(this.#buffer.subarray(0, have))
    this.#buffer = larger
  }
}
