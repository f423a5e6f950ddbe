/** What an operation of a provider host is made of; the table of all is in `operations.ts`. */
import type { DeviceKeyRequest, DeviceSession } from '../device.ts'
import { type KeyAlgorithm, type KeyId, type KeyInfo, parseKeyId } from '../provider.ts'
import { bool, bytes, mapped, maybe, oneOf, struct, text, uint, type Wire } from './wire.ts'

const MAX_LABEL_BYTES = 512

export type OperationTimes = {
  /** What the device has for one call; one that takes longer hangs, and its host is killed. */
  readonly callMs: number
  /** From the request to its answer, with waiting and repeating. */
  readonly deadlineMs: number
}

export type Operation<Request, Response> = OperationTimes & {
  readonly code: number
  readonly request: Wire<Request>
  readonly response: Wire<Response>
  /** Whether it may be done again when nobody knows whether it was done. */
  readonly isRepeatable: boolean
  run(session: DeviceSession, request: Request): Response
}

export const algorithm: Wire<KeyAlgorithm> = oneOf(
  'ed25519',
  'p256',
  'secp256k1',
  'aes-256',
  'hmac-sha256',
)
export const keyId: Wire<KeyId> = mapped(text(64), parseKeyId, parseKeyId)
export const label: Wire<string> = text(MAX_LABEL_BYTES)
export const request: Wire<DeviceKeyRequest> = struct<DeviceKeyRequest>({
  label,
  algorithm,
  id: keyId,
  use: maybe(oneOf('wrapping')),
  isWrappable: maybe(bool),
  withTrusted: maybe(bool),
})
export const info: Wire<KeyInfo> = struct<KeyInfo>({
  id: keyId,
  label,
  algorithm,
  publicKey: maybe(bytes(33)),
  isExtractable: bool,
  isSensitive: bool,
  createdAt: uint,
})

/** Two calls, one restart of the host between them, and some waiting fit into each deadline. */
export const QUICK: OperationTimes = { callMs: 5_000, deadlineMs: 15_000 }
export const SLOW: OperationTimes = { callMs: 30_000, deadlineMs: 75_000 }

export const row = <Request, Response>(
  code: number,
  requestWire: Wire<Request>,
  response: Wire<Response>,
  times: OperationTimes,
  run: (session: DeviceSession, request: Request) => Response,
): Operation<Request, Response> => ({
  code,
  request: requestWire,
  response,
  ...times,
  isRepeatable: true,
  run,
})

export const once = <Request, Response>(
  operation: Operation<Request, Response>,
): Operation<Request, Response> => ({ ...operation, isRepeatable: false })
