/**
 * A request as an enrolled client signs it. The signature covers the cluster id and the client id,
 * so a request made for one cluster or by one client is worth nothing for another.
 */
import {
  type Codec,
  decode,
  encode,
  Fault,
  field,
  type Id,
  oneOf,
  record,
  type Signer,
  TAGS,
  tagged,
  taggedHash,
  union,
} from '@quorate/base'
import { hash32, id, signature64, VERSION_KEY, versioned } from './format.ts'
import {
  type Intent,
  intentCodec,
  MAX_INTENT_BYTES,
  type RefreshRequest,
  refreshRequestCodec,
  type WalletRequest,
  walletRequestCodec,
} from './intent.ts'
import { type PolicyChangeRequest, policyChangeRequestCodec } from './policy-change.ts'

/** Of an encoded signed request. */
export const MAX_REQUEST_BYTES: number = MAX_INTENT_BYTES + (1 << 10)

export type RequestBody =
  | { readonly kind: 'createWallet'; readonly value: WalletRequest }
  | { readonly kind: 'sign'; readonly value: Intent }
  | { readonly kind: 'refresh'; readonly value: RefreshRequest }
  | { readonly kind: 'changePolicy'; readonly value: PolicyChangeRequest }
export type RequestKind = RequestBody['kind']

export type UnsignedRequest = {
  readonly v: 1
  /** The cluster id: hash of the cluster record, 32 bytes. */
  readonly cluster: Uint8Array
  readonly client: Id<'cli'>
  readonly body: RequestBody
}
export type SignedRequest = UnsignedRequest & {
  /** Ed25519, 64 bytes. */
  readonly signature: Uint8Array
}

/** Whether `signature` (64 bytes) is Ed25519 of `message` under `publicKey` (32 bytes). Never throws. */
export type VerifySignature = (
  publicKey: Uint8Array,
  message: Uint8Array,
  signature: Uint8Array,
) => boolean

const requestBody: Codec<RequestBody> = union({
  createWallet: [1, walletRequestCodec],
  sign: [2, intentCodec],
  refresh: [3, refreshRequestCodec],
  changePolicy: [4, policyChangeRequestCodec],
})

export const signedRequestCodec: Codec<SignedRequest> = versioned(
  1,
  record({
    v: field(VERSION_KEY, oneOf(1)),
    cluster: field(1, hash32),
    client: field(2, id('cli')),
    body: field(3, requestBody),
    signature: field(4, signature64),
  }),
)

/** Three canonical CBOR items: each tells its own length, so they can be read in one way only. */
const parts = ({ cluster, client, body }: UnsignedRequest): readonly Uint8Array[] => [
  encode(hash32, cluster),
  encode(id('cli'), client),
  encode(requestBody, body),
]

/** The bytes that the client signs. @throws base/malformed */
export const requestMessage = (request: UnsignedRequest): Uint8Array =>
  tagged(TAGS.request, ...parts(request))

/**
 * What a request is remembered by: 32 bytes over all that is signed. The signature is left out, or a
 * client could make one request look like many by signing it again.
 */
export const requestHash = (request: UnsignedRequest): Uint8Array =>
  taggedHash(TAGS.requestHash, ...parts(request))

/** The request with the client's signature. @throws base/malformed */
export async function signRequest(
  signer: Signer,
  cluster: Uint8Array,
  client: Id<'cli'>,
  body: RequestBody,
): Promise<SignedRequest> {
  const request: UnsignedRequest = { v: 1, cluster, client, body }
  return { ...request, signature: await signer.sign(requestMessage(request)) }
}

/** Refuses a request that `publicKey` (the enrolled client's, 32 bytes) did not sign. @throws api/bad-signature */
export function checkRequestSignature(
  request: SignedRequest,
  publicKey: Uint8Array,
  verify: VerifySignature,
): void {
  if (!verify(publicKey, requestMessage(request), request.signature))
    throw new Fault('api/bad-signature')
}

/** The canonical bytes. @throws base/malformed */
export const encodeRequest = (request: SignedRequest): Uint8Array =>
  encode(signedRequestCodec, request)

/** @throws base/too-large, base/malformed, base/not-canonical, base/bad-id, base/unknown-version */
export const decodeRequest = (encoded: Uint8Array): SignedRequest =>
  decode(signedRequestCodec, encoded, { maxBytes: MAX_REQUEST_BYTES })
