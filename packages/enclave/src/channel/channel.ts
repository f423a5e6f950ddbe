/**
 * Calls between the daemon and its signer process, over the one inherited socket pair.
 *
 * Frame: 4-byte big-endian length, then canonical CBOR `[kind, id, method, payload]` where kind is
 * call, cast, reply or fault. Both sides may call; a cast is a call that nobody waits for. A fault
 * travels as its code alone plus our own detail; anything that is not a Fault arrives as
 * `enclave/internal`, so no stack or value leaks. Frames of one turn of the event loop go out in one write.
 */
import {
  bytes,
  type Codec,
  concatBytes,
  decode,
  encode,
  Fault,
  field,
  int,
  isFault,
  isFaultCode,
  oneOf,
  optional,
  record,
  text,
  wipe,
} from '@quorate/base'

/** Larger than anything that crosses, evidence files included; checked before allocation. */
const MAX_FRAME_BYTES = 32 * 1024 * 1024

// biome-ignore lint/suspicious/noExplicitAny: calls have whatever payloads they have
type AnyCodec = Codec<any>
type AnyCalls = {
  readonly [method: string]: {
    readonly request: AnyCodec
    readonly response: AnyCodec
    /** It answers nothing, and nobody hears whether it failed. */
    readonly isCast?: boolean
  }
}
type Payload<C> = C extends Codec<infer T> ? T : never

export type Client<Calls extends AnyCalls> = {
  readonly [M in keyof Calls]: (
    request: Payload<Calls[M]['request']>,
  ) => Promise<Payload<Calls[M]['response']>>
}
export type Handlers<Calls extends AnyCalls> = {
  readonly [M in keyof Calls]: (
    request: Payload<Calls[M]['request']>,
  ) => Promise<Payload<Calls[M]['response']>> | Payload<Calls[M]['response']>
}

/** What the channel needs of a stream; `net.Socket` fits. */
export type ByteStream = {
  /** `done` is called when the bytes are needed no more. */
  write(bytes: Uint8Array, done: () => void): unknown
  on(event: 'data', listener: (bytes: Uint8Array) => void): unknown
  on(event: 'close', listener: () => void): unknown
  on(event: 'error', listener: (error: Error) => void): unknown
}

const frameOf = record({
  kind: field(0, oneOf('call', 'reply', 'fault', 'cast')),
  id: field(1, int()),
  method: optional(2, text(64)),
  payload: field(3, bytes({ max: MAX_FRAME_BYTES })),
})
type Frame = Payload<typeof frameOf>
const faultOf = record({ code: field(0, text(96)), detail: optional(1, text(2000)) })

/**
 * Serves `handlers` to the other side and returns a client for its calls. Unfinished calls fail
 * with `enclave/channel-closed` when the stream ends.
 */
export function openChannel<Theirs extends AnyCalls, Ours extends AnyCalls>(
  stream: ByteStream,
  theirs: Theirs,
  ours: Ours,
  handlers: Handlers<Ours>,
): Client<Theirs> {
  const waiting = new Map<
    number,
    { resolve(payload: Uint8Array): void; reject(fault: Fault): void }
  >()
  let lastId = 0
  let isOpen = true
  let outgoing: Uint8Array[] = []

  const flush = (): void => {
    const frames = outgoing
    outgoing = []
    if (!isOpen) {
      wipe(...frames)
      return
    }
    const joined = frames.length === 1 ? frames[0]! : concatBytes(...frames)
    if (frames.length > 1) wipe(...frames)
    // What crosses may hold a PIN.
    stream.write(joined, () => wipe(joined))
  }

  const send = (frame: Frame): void => {
    if (!isOpen) return
    const body = encode(frameOf, frame)
    const framed = new Uint8Array(4 + body.length)
    new DataView(framed.buffer).setUint32(0, body.length)
    framed.set(body, 4)
    wipe(body, frame.payload)
    if (outgoing.push(framed) === 1) setImmediate(flush)
  }

  const serve = async ({ kind, id, method = '', payload }: Frame): Promise<void> => {
    try {
      const call = Object.hasOwn(ours, method) ? ours[method] : undefined
      if (call === undefined) throw new Fault('enclave/unknown-call')
      const request: unknown = decode(call.request, payload, { maxBytes: MAX_FRAME_BYTES })
      const response = await (handlers[method] as (request: unknown) => unknown)(request)
      if (kind === 'call')
        send({ kind: 'reply', id, payload: encode(call.response, response as never) })
    } catch (error) {
      const fault = isFault(error) ? error : new Fault('enclave/internal', { cause: error })
      if (!isFault(error) && process.env['QUORATE_DEBUG'] !== undefined)
        process.stderr.write(`${String(error instanceof Error ? error.stack : error)}\n`)
      if (kind !== 'call') return
      const detail = fault.detail?.normalize('NFC').slice(0, 2000)
      send({
        kind: 'fault',
        id,
        payload: encode(faultOf, { code: fault.code, ...(detail === undefined ? {} : { detail }) }),
      })
    }
  }

  const take = (body: Uint8Array): void => {
    const frame = decode(frameOf, body, { maxBytes: MAX_FRAME_BYTES })
    if (frame.kind === 'call' || frame.kind === 'cast') {
      void serve(frame)
      return
    }
    const call = waiting.get(frame.id)
    if (call === undefined) return
    waiting.delete(frame.id)
    if (frame.kind === 'reply') call.resolve(frame.payload)
    else {
      const { code, detail } = decode(faultOf, frame.payload, { maxBytes: MAX_FRAME_BYTES })
      call.reject(
        new Fault(
          isFaultCode(code) ? code : 'enclave/internal',
          detail === undefined ? {} : { detail },
        ),
      )
    }
  }

  const close = (): void => {
    isOpen = false
    for (const call of waiting.values()) call.reject(new Fault('enclave/channel-closed'))
    waiting.clear()
  }
  readFrames(stream, take, close)
  stream.on('close', close)
  stream.on('error', close)

  const call = async (method: string, request: unknown): Promise<unknown> => {
    const shape = theirs[method]!
    if (!isOpen) throw new Fault('enclave/channel-closed')
    const id = ++lastId
    if (shape.isCast === true) {
      send({ kind: 'cast', id, method, payload: encode(shape.request, request as never) })
      return {}
    }
    const answer = new Promise<Uint8Array>((resolve, reject) =>
      waiting.set(id, { resolve, reject }),
    )
    send({ kind: 'call', id, method, payload: encode(shape.request, request as never) })
    return decode(shape.response, await answer, { maxBytes: MAX_FRAME_BYTES })
  }
  return Object.fromEntries(
    Object.keys(theirs).map((method) => [method, (request: unknown) => call(method, request)]),
  ) as Client<Theirs>
}

function readFrames(
  stream: ByteStream,
  take: (body: Uint8Array) => void,
  refuse: () => void,
): void {
  let pending: Uint8Array[] = []
  let length = 0
  stream.on('data', (chunk) => {
    // A Buffer's slice is a view: whoever changes what was decoded from one would change the frame.
    pending.push(new Uint8Array(chunk.buffer, chunk.byteOffset, chunk.length))
    length += chunk.length
    while (length >= 4) {
      const joined = pending.length === 1 ? pending[0]! : concatBytes(...pending)
      pending = [joined]
      const size = new DataView(joined.buffer, joined.byteOffset).getUint32(0)
      if (size > MAX_FRAME_BYTES) {
        refuse()
        return
      }
      if (length < 4 + size) return
      take(joined.slice(4, 4 + size))
      pending = [joined.subarray(4 + size)]
      length -= 4 + size
    }
  })
}
