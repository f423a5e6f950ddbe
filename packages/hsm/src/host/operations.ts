/**
 * Everything that a provider host can be asked to do: how it crosses, how long it may take, whether
 * it may be done twice, and what it is on a session. One row each.
 */
import type {
  DeviceKeyRequest,
  MechanismFacts,
  ObjectFacts,
  PinnedKey,
  TokenFacts,
} from '../device.ts'
import type { Encrypted, KeyId, KeyInfo, KeyQuery } from '../provider.ts'
import { type ZymbitOperations, zymbitOperations } from '../zymbit/operations.ts'
import {
  algorithm,
  info,
  keyId,
  label,
  type Operation,
  type OperationTimes,
  once,
  QUICK,
  request,
  row,
  SLOW,
} from './operation.ts'
import {
  bool,
  bytes,
  list,
  mapped,
  maybe,
  nothing,
  oneOf,
  struct,
  text,
  uint,
  view,
  type Wire,
} from './wire.ts'

export type { Operation, OperationTimes } from './operation.ts'

/** Of a message, a plaintext or a ciphertext. */
export const MAX_DATA_BYTES: number = 1 << 24
/** Of a frame without its length: the largest data, and all that can stand beside it. */
export const MAX_FRAME_BYTES: number = MAX_DATA_BYTES + (1 << 16)
const MAX_KEYS = 100_000
const MAX_WRAPPED_BYTES = 1 << 14
const MAX_SECRET_BYTES = 1024
const MAX_AAD_BYTES = 1 << 14

const name = text(256)
const data = view(MAX_DATA_BYTES + 64)

const pinned: Wire<PinnedKey> = struct<PinnedKey>({
  id: keyId,
  algorithm,
  publicKey: maybe(bytes(33)),
})
const query: Wire<KeyQuery> = struct<KeyQuery>({ id: maybe(keyId), label: maybe(label) })
const encrypted: Wire<Encrypted> = struct<Encrypted>({
  iv: bytes(64),
  ciphertext: bytes(MAX_DATA_BYTES + 64),
})

const mechanism: Wire<MechanismFacts> = struct({
  name,
  code: uint,
  flags: list(name, 64),
  minKeySize: uint,
  maxKeySize: uint,
})
const token: Wire<TokenFacts> = struct<TokenFacts>({
  library: struct({ description: name, version: name, cryptoki: name }),
  slot: name,
  label: name,
  manufacturer: name,
  model: name,
  serial: name,
  firmware: name,
  flags: list(name, 64),
  maxSessions: maybe(uint),
  openSessions: maybe(uint),
  mechanisms: list(mechanism, 4096),
  algorithms: list(algorithm, 16),
  capabilities: list(oneOf('wrap', 'import', 'derive', 'tamper'), 4),
})
const flags: Wire<ObjectFacts['flags']> = mapped(
  list(struct<{ readonly name: string; readonly isSet: boolean }>({ name, isSet: bool }), 128),
  (rows) => Object.fromEntries(rows.map((row) => [row.name, row.isSet])),
  (set) => Object.entries(set).map(([each, isSet]) => ({ name: each, isSet })),
)
const object: Wire<ObjectFacts> = struct<ObjectFacts>({
  class: name,
  keyType: name,
  label: text(4096),
  id: text(4096),
  flags,
  allowedMechanisms: maybe(list(name, 4096)),
  hasWrapTemplate: maybe(bool),
  hasUnwrapTemplate: maybe(bool),
  startDate: maybe(name),
  endDate: maybe(name),
  publicKey: maybe(bytes(4096)),
})

type UseOfKey<Input> = { readonly key: PinnedKey } & Input
type Wrapping = { readonly wrapping: PinnedKey; readonly target: PinnedKey }
type Unwrapping = {
  readonly wrapping: PinnedKey
  readonly wrapped: Uint8Array
  readonly request: DeviceKeyRequest
}
type Derivation = {
  readonly parent: KeyId
  readonly path: string
  readonly request: DeviceKeyRequest
}
type Import = { readonly request: DeviceKeyRequest; readonly secret: Uint8Array }
type Signing = UseOfKey<{ readonly data: Uint8Array }>
type Encryption = UseOfKey<{ readonly plaintext: Uint8Array; readonly aad: Uint8Array }>
type Decryption = UseOfKey<{ readonly encrypted: Encrypted; readonly aad: Uint8Array }>
type Authentication = UseOfKey<{ readonly message: Uint8Array }>
type Destruction = { readonly id: KeyId; readonly label: string }

export type Operations = ZymbitOperations & {
  /** Ends the session and its thread. */
  readonly close: Operation<void, void>
  readonly token: Operation<void, TokenFacts>
  readonly probe: Operation<void, void>
  readonly objects: Operation<void, readonly ObjectFacts[]>
  readonly find: Operation<KeyQuery, KeyInfo>
  readonly list: Operation<void, readonly KeyInfo[]>
  readonly generateKey: Operation<DeviceKeyRequest, KeyInfo>
  readonly sign: Operation<Signing, Uint8Array>
  readonly encrypt: Operation<Encryption, Encrypted>
  readonly decrypt: Operation<Decryption, Uint8Array>
  readonly hmac: Operation<Authentication, Uint8Array>
  readonly random: Operation<number, Uint8Array>
  readonly destroy: Operation<Destruction, void>
  readonly wrapKey: Operation<Wrapping, Uint8Array>
  readonly unwrapKey: Operation<Unwrapping, KeyInfo>
  readonly importKey: Operation<Import, KeyInfo>
  readonly deriveKey: Operation<Derivation, KeyInfo>
}
export type OperationName = keyof Operations
export type RequestOf<Name extends OperationName> = Parameters<Operations[Name]['run']>[1]
export type ResponseOf<Name extends OperationName> = ReturnType<Operations[Name]['run']>

const aad = view(MAX_AAD_BYTES)

export const OPERATIONS: Operations = {
  close: row(0, nothing, nothing, QUICK, (session) => session.close()),
  token: row(1, nothing, token, SLOW, (session) => session.token()),
  probe: row(2, nothing, nothing, QUICK, (session) => session.probe()),
  objects: row(3, nothing, list(object, MAX_KEYS), SLOW, (session) => session.objects()),
  find: row(4, query, info, SLOW, (session, what) => session.find(what)),
  list: row(5, nothing, list(info, MAX_KEYS), SLOW, (session) => session.list()),
  generateKey: once(row(6, request, info, SLOW, (session, what) => session.generateKey(what))),
  sign: row(7, struct<Signing>({ key: pinned, data }), bytes(1024), QUICK, (session, what) =>
    session.sign(what.key, what.data),
  ),
  encrypt: row(
    8,
    struct<Encryption>({ key: pinned, plaintext: data, aad }),
    encrypted,
    QUICK,
    (session, what) => session.encrypt(what.key, what.plaintext, what.aad),
  ),
  decrypt: row(
    9,
    struct<Decryption>({
      key: pinned,
      encrypted: struct<Encrypted>({ iv: view(64), ciphertext: data }),
      aad,
    }),
    bytes(MAX_DATA_BYTES),
    QUICK,
    (session, what) => session.decrypt(what.key, what.encrypted, what.aad),
  ),
  hmac: row(
    10,
    struct<Authentication>({ key: pinned, message: data }),
    bytes(32),
    QUICK,
    (session, what) => session.hmac(what.key, what.message),
  ),
  random: row(11, uint, bytes(1024), QUICK, (session, length) => session.random(length)),
  destroy: once(
    row(12, struct<Destruction>({ id: keyId, label }), nothing, SLOW, (session, what) =>
      session.destroy(what.id, what.label),
    ),
  ),
  wrapKey: row(
    13,
    struct<Wrapping>({ wrapping: pinned, target: pinned }),
    bytes(MAX_WRAPPED_BYTES),
    SLOW,
    (session, what) => session.wrapKey(what.wrapping, what.target),
  ),
  unwrapKey: once(
    row(
      14,
      struct<Unwrapping>({ wrapping: pinned, wrapped: view(MAX_WRAPPED_BYTES), request }),
      info,
      SLOW,
      (session, what) => session.unwrapKey(what.wrapping, what.wrapped, what.request),
    ),
  ),
  importKey: once(
    row(
      15,
      struct<Import>({ request, secret: view(MAX_SECRET_BYTES) }),
      info,
      SLOW,
      (session, what) => session.importKey(what.request, what.secret),
    ),
  ),
  deriveKey: once(
    row(
      16,
      struct<Derivation>({ parent: keyId, path: text(256), request }),
      info,
      SLOW,
      (session, what) => session.deriveKey(what.parent, what.path, what.request),
    ),
  ),
  ...zymbitOperations(17),
}

const BY_CODE = Object.values(OPERATIONS) as unknown as readonly Operation<unknown, unknown>[]

/** The operation of a frame; the code of each is its place in the table. */
export const operationOf = (code: number): Operation<unknown, unknown> | undefined => BY_CODE[code]

/** How long operations may take, where that is not what the table says. */
export type TimesOverride = { readonly [Name in OperationName]?: Partial<OperationTimes> }

export const timesOf = (name: OperationName, override: TimesOverride): OperationTimes => {
  const own = override[name]
  return own === undefined ? OPERATIONS[name] : { ...OPERATIONS[name], ...own }
}
