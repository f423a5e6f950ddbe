/**
 * Frames on the connection of one session. One request is on its way at a time.
 *
 *   request   length, id, code of the operation, its request
 *   response  length, id, status, the response or the fault
 *
 * Length counts what follows it; length and id have four bytes, code and status one. The first
 * response has id 0 and says whether the session is open.
 */
import { Fault, isFault, isFaultCode } from '@quorate/base'
import { type DeviceCode, DeviceFault, type Failover } from '../errors.ts'
import { MAX_FRAME_BYTES, type Operation } from './operations.ts'
import {
  getU32,
  maybe,
  nothing,
  oneOf,
  putU32,
  readAll,
  struct,
  text,
  uint,
  type Wire,
  Writer,
} from './wire.ts'

/** Length, id, and code or status. */
export const HEADER_BYTES = 9
const LENGTH_BYTES = 4
const ID_AT = 4
const KIND_AT = 8

const DONE = 0
const FAILED = 1

const MAX_DETAIL = 500

type WireFault = {
  readonly code: string
  readonly detail?: string
  readonly failover?: Failover
  readonly ckr?: number
}
const fault: Wire<WireFault> = struct<WireFault>({
  code: text(96),
  detail: maybe(text(4 * MAX_DETAIL)),
  failover: maybe(oneOf('same', 'next', 'never')),
  ckr: maybe(uint),
})

const scratch = new Writer()

function frame<T>(id: number, kind: number, wire: Wire<T>, value: T): Uint8Array {
  try {
    scratch.u32(0)
    scratch.u32(id)
    scratch.u8(kind)
    wire.write(scratch, value)
    const taken = scratch.take()
    putU32(taken, 0, taken.length - LENGTH_BYTES)
    return taken
  } finally {
    scratch.drop()
  }
}

/** A request whose id is not set yet. @throws hsm/bad-argument for what is too large */
export const requestFrame = <Q, A>(operation: Operation<Q, A>, request: Q): Uint8Array =>
  frame(0, operation.code, operation.request, request)

export const setId = (request: Uint8Array, id: number): void => putU32(request, ID_AT, id)

export const responseFrame = <A>(id: number, response: Wire<A>, value: A): Uint8Array =>
  frame(id, DONE, response, value)

export const readyFrame = (): Uint8Array => frame(0, DONE, nothing, undefined)

/** Of an error that is no Fault only its kind crosses: its text may quote a secret. */
export function faultFrame(id: number, error: unknown): Uint8Array {
  const known = isFault(error)
    ? error
    : new DeviceFault('hsm/unavailable', {
        detail: `${error instanceof Error ? error.constructor.name : typeof error} in the host`,
      })
  const detail = known.detail?.slice(0, MAX_DETAIL)
  return frame(id, FAILED, fault, {
    code: known.code,
    ...(detail === undefined ? {} : { detail }),
    ...(known instanceof DeviceFault ? { failover: known.failover } : {}),
    ...(known instanceof DeviceFault && known.ckr !== undefined ? { ckr: known.ckr } : {}),
  })
}

export type Answer<T> =
  | { readonly id: number; readonly value: T }
  | { readonly id: number; readonly fault: Fault }

/** What a response says. @throws base/malformed */
export function readResponse<A>(response: Uint8Array, wire: Wire<A>): Answer<A> {
  const id = getU32(response, ID_AT)
  if (response[KIND_AT] === DONE) return { id, value: readAll(wire, response, HEADER_BYTES) }
  if (response[KIND_AT] !== FAILED)
    throw new Fault('base/malformed', { detail: 'frame: an unknown status' })
  return { id, fault: faultOf(readAll(fault, response, HEADER_BYTES)) }
}

function faultOf({ code, detail, failover, ckr }: WireFault): Fault {
  if (!isFaultCode(code) || !/^(hsm|base)\//.test(code))
    throw new Fault('base/malformed', { detail: 'frame: an unknown fault' })
  const options = detail === undefined ? {} : { detail }
  if (failover === undefined) return new Fault(code, options)
  return new DeviceFault(code as DeviceCode, {
    ...options,
    failover,
    ...(ckr === undefined ? {} : { ckr }),
  })
}

/** The request in a frame: its id, and the code of its operation. */
export const requestHead = (request: Uint8Array): { id: number; code: number } => ({
  id: getU32(request, ID_AT),
  code: request[KIND_AT]!,
})

/** The whole length of a frame whose first bytes these are, or `undefined` until that is known. @throws base/malformed */
export function frameLength(start: Uint8Array, have: number): number | undefined {
  if (have < LENGTH_BYTES) return undefined
  const length = getU32(start, 0)
  if (length > MAX_FRAME_BYTES || length < HEADER_BYTES - LENGTH_BYTES)
    throw new Fault('base/malformed', { detail: 'frame: its length' })
  return LENGTH_BYTES + length
}

/** Puts the pieces of one frame together. Holds no more than twice what has truly arrived. */
export class FrameAssembler {
  #bytes: Uint8Array | undefined
  #have = 0

  /**
   * The frame, once it is whole: a view that is wiped with `chunk`, by whoever gave it, or of a buffer that is
   * forgotten here. @throws base/malformed for a wrong length, or for bytes after the end of the frame
   */
  push(chunk: Uint8Array): Uint8Array | undefined {
    if (this.#bytes === undefined && chunk.length === frameLength(chunk, chunk.length)) return chunk
    const joined = this.#append(chunk)
    const whole = frameLength(joined, this.#have)
    if (whole === undefined || this.#have < whole) return undefined
    if (this.#have > whole)
      throw new Fault('base/malformed', { detail: 'frame: bytes that nobody asked for' })
    this.#bytes = undefined
    this.#have = 0
    return joined.subarray(0, whole)
  }

  #append(chunk: Uint8Array): Uint8Array {
    const needed = this.#have + chunk.length
    let bytes = this.#bytes ?? new Uint8Array(needed)
    if (needed > bytes.length) {
      const larger = new Uint8Array(Math.max(needed, 2 * bytes.length))
      larger.set(bytes.subarray(0, this.#have))
      bytes.fill(0)
      bytes = larger
    }
    bytes.set(chunk, this.#have)
    this.#bytes = bytes
    this.#have = needed
    return bytes
  }
}
