/**
 * Keys that come from elsewhere: wrapped under a key of the token, or in plaintext. They get the
 * same templates as keys made here, and the token tells that they are not local.
 *
 * A wrapped key is a record of what the token gave and of what it does not keep inside of it: algorithm,
 * mechanism, public key. The mechanisms authenticate their content (RFC 3394, RFC 5649); that the
 * public key belongs to it is proved by a signature once it is unwrapped.
 */
import { randomBytes } from 'node:crypto'
import {
  array,
  bytes,
  type Codec,
  decode,
  encode,
  Fault,
  field,
  oneOf,
  optional,
  record,
} from '@quorate/base'
import type { DeviceKeyRequest } from '../device.ts'
import { verifyDigest } from '../ecdsa.ts'
import { verifyEd25519 } from '../ed25519.ts'
import { DeviceFault } from '../errors.ts'
import type { KeyAlgorithm, KeyInfo, SigningAlgorithm } from '../provider.ts'
import { ULONG_BYTES } from './arena.ts'
import { putTemplate, type Template } from './attributes.ts'
import type { Connection } from './connection.ts'
import { CKR } from './constants.ts'
import { checkRequest, createKey, type Part } from './create.ts'
import { CkrError } from './cryptoki.ts'
import { ecParams, pointOfPublicKey, publicKeyOfPoint, publicKeyOfSecret } from './ec.ts'
import { type CipherMode, climb, firstAccepted, secretPart, today } from './generate.ts'
import type { Keys, LoadedKey } from './keys.ts'
import { putMechanism } from './mechanism.ts'
import { destroyObjects } from './objects.ts'
import type { WrapMechanism } from './profiles/profile.ts'
import { sign } from './sign.ts'
import { dataKey, hmacKey, signingKey, wrappingKey } from './templates.ts'

const WRAP_MECHANISMS = ['AES_KEY_WRAP', 'AES_KEY_WRAP_PAD', 'AES_KEY_WRAP_KWP'] as const

type Wrapped = {
  readonly v: 1
  readonly algorithm: KeyAlgorithm
  readonly mechanism: WrapMechanism
  /** The private or secret key; behind an AES-CBC key its MAC key. */
  readonly parts: readonly Uint8Array[]
  readonly publicKey?: Uint8Array | undefined
}
const wrappedCodec: Codec<Wrapped> = record({
  v: field(0, oneOf(1)),
  algorithm: field(1, oneOf('ed25519', 'p256', 'secp256k1', 'aes-256', 'hmac-sha256')),
  mechanism: field(2, oneOf(...WRAP_MECHANISMS)),
  parts: field(3, array(bytes({ min: 16, max: 1024 }), { max: 2 })),
  publicKey: optional(4, bytes({ min: 32, max: 33 })),
})
const MAX_WRAPPED_BYTES = 4096
/** What wrapping adds to any key of these algorithms. */
const WRAP_ROOM = 512

/** The wrapped key, for any token that holds the same wrapping key. @throws hsm/bad-argument, CkrError */
export function wrapKey(
  connection: Connection,
  mechanism: WrapMechanism,
  wrapping: LoadedKey,
  target: LoadedKey,
): Uint8Array {
  const { cryptoki, arena, session } = connection
  demandAes(wrapping)
  const wrap = (handle: bigint): Uint8Array => {
    const out = arena.reserve(WRAP_ROOM)
    const length = arena.putUlongs(WRAP_ROOM)
    cryptoki.C_WrapKey(
      session,
      putMechanism(arena, mechanism),
      wrapping.handle,
      handle,
      out,
      length,
    )
    return arena.read(out, Number(arena.readUlong(length)))
  }
  const { algorithm, publicKey } = target.info
  const parts = [target.handle, ...(target.mac === undefined ? [] : [target.mac])].map(wrap)
  return encode(wrappedCodec, { v: 1, algorithm, mechanism, parts, publicKey })
}

function demandAes({ info, mac }: LoadedKey): void {
  if (info.algorithm !== 'aes-256' || mac !== undefined)
    throw new Fault('hsm/bad-argument', { detail: 'a wrapping key is needed' })
}

/**
 * The wrapped key, again in a token. `wrapping` finds the wrapping key in the session as it is then.
 * @throws hsm/cannot-open for what is damaged or was wrapped under another key, hsm/key-exists, hsm/weak-key
 */
export function unwrapKey(
  connection: Connection,
  keys: Keys,
  wrapping: () => LoadedKey,
  wrapped: Uint8Array,
  request: DeviceKeyRequest,
): KeyInfo {
  connection.run(() => demandAes(wrapping()))
  if (request.isWrappable === true || request.use !== undefined)
    throw new Fault('hsm/bad-argument', { detail: 'an unwrapped key is an ordinary one' })
  const { algorithm, mechanism, parts, publicKey } = parse(wrapped)
  if (algorithm !== request.algorithm)
    throw new Fault('hsm/bad-argument', { detail: `the wrapped key is for ${algorithm}` })
  const unwrap =
    (content: Uint8Array | undefined) =>
    (template: Template): bigint =>
      unwrapObject(connection, mechanism, wrapping().handle, content, template)
  const [first, second] = parts
  const mode = second === undefined ? 'gcm' : 'cbc-hmac'
  const plan = planOf(connection, request, mode, publicKey, [unwrap(first), unwrap(second)])
  return createKey(connection, keys, request, plan, true)
}

function parse(content: Uint8Array): Wrapped {
  try {
    return decode(wrappedCodec, content, { maxBytes: MAX_WRAPPED_BYTES })
  } catch (cause) {
    throw new Fault('hsm/cannot-open', { cause })
  }
}

const CANNOT_UNWRAP: readonly number[] = [
  CKR.WRAPPED_KEY_INVALID,
  CKR.WRAPPED_KEY_LEN_RANGE,
  CKR.ENCRYPTED_DATA_INVALID,
  CKR.ENCRYPTED_DATA_LEN_RANGE,
]

function unwrapObject(
  { cryptoki, arena, session, profile }: Connection,
  mechanism: WrapMechanism,
  unwrapping: bigint,
  content: Uint8Array | undefined,
  template: Template,
): bigint {
  if (content === undefined) throw new Fault('hsm/cannot-open')
  const handle = arena.reserve(ULONG_BYTES)
  // Curve and length are in what was wrapped, and may not be said again.
  const { VALUE_LEN: _length, EC_PARAMS: _curve, ...rest } = template
  try {
    cryptoki.C_UnwrapKey(
      session,
      putMechanism(arena, mechanism),
      unwrapping,
      arena.put(content),
      content.length,
      ...putTemplate(arena, rest),
      handle,
    )
  } catch (error) {
    if (!(error instanceof CkrError)) throw error
    if (![...CANNOT_UNWRAP, ...profile.cannotOpen].includes(error.ckr)) throw error
    throw new Fault('hsm/cannot-open')
  }
  return arena.readUlong(handle)
}

/**
 * A key whose secret (seed, scalar or key, 32 bytes) was made elsewhere; also one that wraps others. Treats
 * `secret` as secret.
 * @throws hsm/unsupported where the profile has no import, hsm/key-exists, hsm/weak-key, hsm/bad-argument
 */
export function importKey(
  connection: Connection,
  keys: Keys,
  request: DeviceKeyRequest,
  secret: Uint8Array,
  mode: CipherMode,
): KeyInfo {
  checkRequest(request)
  if (!connection.profile.canImport)
    throw new DeviceFault('hsm/unsupported', { detail: 'keys from outside' })
  if (secret.length !== 32 || request.isWrappable === true)
    throw new Fault('hsm/bad-argument', { detail: 'a key of 32 bytes is needed, which then stays' })
  const { algorithm } = request
  const publicKey = isSigning(algorithm) ? publicKeyOfSecret(algorithm, secret) : undefined
  const put = (template: Template): bigint => {
    const { VALUE_LEN: _length, ...rest } = template
    return createObject(connection, { VALUE: secret, ...rest })
  }
  const plan = planOf(connection, request, mode, publicKey, [put, undefined])
  return createKey(connection, keys, request, plan, true)
}

const isSigning = (algorithm: KeyAlgorithm): algorithm is SigningAlgorithm =>
  algorithm !== 'aes-256' && algorithm !== 'hmac-sha256'

function createObject({ cryptoki, arena, session }: Connection, template: Template): bigint {
  const handle = arena.reserve(ULONG_BYTES)
  cryptoki.C_CreateObject(session, ...putTemplate(arena, template), handle)
  return arena.readUlong(handle)
}

type Put = (template: Template) => bigint

/** Parts put into the token by `puts`; a MAC key that none is given for is made there. */
function planOf(
  connection: Connection,
  request: DeviceKeyRequest,
  mode: CipherMode,
  publicKey: Uint8Array | undefined,
  [put, putMac]: readonly [Put, Put | undefined],
): readonly Part[] {
  const { profile } = connection
  const { algorithm } = request
  const part = (asked: Template, by: Put): Part => ({
    asked,
    make: () => climb(connection, (rung) => [by(rung(asked))]),
  })
  if (isSigning(algorithm)) return [pairPart(connection, algorithm, request, publicKey, put)]
  if (request.use === 'wrapping')
    return [part(wrappingKey(profile, request, today()).template, put)]
  const mac = hmacKey(profile, request, today())
  if (algorithm === 'hmac-sha256') return [part(mac.template, put)]
  const use = mode === 'gcm' ? 'AES_GCM' : 'AES_CBC_PAD'
  const cipher = part(dataKey(profile, request, today(), use).template, put)
  if (mode === 'gcm') return [cipher]
  return [cipher, putMac === undefined ? secretPart(connection, mac) : part(mac.template, putMac)]
}

function pairPart(
  connection: Connection,
  algorithm: SigningAlgorithm,
  request: DeviceKeyRequest,
  publicKey: Uint8Array | undefined,
  put: Put,
): Part {
  const { profile } = connection
  const { privateTemplate, publicTemplate } = signingKey(profile, algorithm, request, today())
  if (publicKey === undefined) throw new Fault('hsm/cannot-open')
  const EC_POINT = pointOfPublicKey(algorithm, publicKey)
  publicKeyOfPoint(algorithm, EC_POINT)
  const make = (EC_PARAMS: Uint8Array): readonly bigint[] => {
    const handle = climb(connection, (rung) => put({ EC_PARAMS, ...rung(privateTemplate) }))
    try {
      const half = climb(connection, (rung) =>
        createObject(connection, { EC_PARAMS, EC_POINT, ...rung(publicTemplate) }),
      )
      const made = [handle, half]
      if (!belongsTo(connection, algorithm, publicKey, handle)) {
        destroyObjects(connection, [half])
        throw new Fault('hsm/cannot-open')
      }
      return made
    } catch (error) {
      destroyObjects(connection, [handle])
      throw error
    }
  }
  return {
    asked: privateTemplate,
    make: () => firstAccepted(ecParams(algorithm, profile.edParams), make),
  }
}

/** Whether the private key signs for `publicKey`. */
function belongsTo(
  connection: Connection,
  algorithm: SigningAlgorithm,
  publicKey: Uint8Array,
  handle: bigint,
): boolean {
  const challenge = new Uint8Array(randomBytes(32))
  const signature = sign(connection, algorithm, handle, challenge)
  return algorithm === 'ed25519'
    ? verifyEd25519(publicKey, challenge, signature)
    : verifyDigest(algorithm, publicKey, challenge, signature)
}
