/**
 * Requests and answers of the bridge. Names are those of its old clients: `walletID`, and in the
 * snake-case dialect `wallet_id`; a caller is answered in the dialect that it speaks.
 */
import { Fault, fromHex, toBase64, toHex } from '@quorate/base'

/** Whole numbers, which some clients send as text. */
const count = (minimum: number): object => ({
  anyOf: [
    { type: 'integer', minimum, maximum: 50 },
    { type: 'string', pattern: '^(0|[1-9][0-9]?)$' },
  ],
})
const label = { type: 'string', pattern: '^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$' }
const chainType = { type: 'string', pattern: '^[A-Za-z0-9:_-]{1,80}$' }
/** 32 bytes in hex, `0x` before it or not. */
const digest = { type: 'string', pattern: '^(0x)?[0-9a-fA-F]{64}$' }
/** Which parties are to sign: any numbers or names, or how many. The cluster chooses for itself. */
const signers = {
  anyOf: [
    {
      type: 'array',
      maxItems: 50,
      items: { anyOf: [{ type: 'integer' }, { type: 'string', maxLength: 64 }] },
    },
    { type: 'integer', minimum: 0, maximum: 50 },
  ],
}

type Properties = { readonly [name: string]: object }
/** An object with exactly these properties, of which the optional ones may be missing. */
const exactly = (required: Properties, optional: Properties = {}): object => ({
  type: 'object',
  properties: { ...required, ...optional },
  required: Object.keys(required),
  additionalProperties: false,
})

export const keygenSchema: object = {
  anyOf: [
    exactly({ walletID: label, chainType, threshold: count(1), totalParties: count(2) }),
    exactly({
      wallet_id: label,
      chain_type: chainType,
      threshold: count(1),
      total_parties: count(2),
    }),
  ],
}

export const signSchema: object = {
  anyOf: [
    exactly({ walletID: label, messageHash: digest }, { signers }),
    exactly(
      { wallet_id: label, message_hash: digest },
      // An id of the caller's own, which comes back as it was sent.
      { signers, tx_id: { type: 'string', maxLength: 128 } },
    ),
  ],
}

export const walletParams: object = exactly({ walletID: label })

export type Dialect = 'bridge' | 'snake'

export type KeygenRequest = {
  readonly dialect: Dialect
  readonly walletID: string
  readonly chainType: string
  /** As it was sent: how many parties may be corrupt. */
  readonly corruptionBound: number
  readonly parties: number
}

export type SignRequest = {
  readonly dialect: Dialect
  readonly walletID: string
  readonly digest: Uint8Array
  readonly isSignersGiven: boolean
  readonly txId: string | undefined
}

type Body = { readonly [name: string]: unknown }

const dialectOf = (body: Body): Dialect => (body['wallet_id'] === undefined ? 'bridge' : 'snake')
const idOf = (body: Body): string => (body['walletID'] ?? body['wallet_id']) as string

/** Of a body that fits `keygenSchema`. */
export function readKeygen(given: unknown): KeygenRequest {
  const body = given as Body
  return {
    dialect: dialectOf(body),
    walletID: idOf(body),
    chainType: (body['chainType'] ?? body['chain_type']) as string,
    corruptionBound: Number(body['threshold']),
    parties: Number(body['totalParties'] ?? body['total_parties']),
  }
}

/** Of a body that fits `signSchema`. */
export function readSign(given: unknown): SignRequest {
  const body = given as Body
  const hash = (body['messageHash'] ?? body['message_hash']) as string
  return {
    dialect: dialectOf(body),
    walletID: idOf(body),
    digest: fromHex(hash.replace(/^0x/, '').toLowerCase()),
    isSignersGiven: body['signers'] !== undefined,
    txId: body['tx_id'] as string | undefined,
  }
}

export type KeyAnswer = {
  readonly walletID: string
  readonly wallet: string
  readonly chainType: string
  readonly network: string
  readonly address: string
  /** Compressed for secp256k1; hex. */
  readonly publicKey: string
  readonly scheme: string
  /** Number of signers. */
  readonly threshold: number
  readonly corruptionBound: number
  readonly totalParties: number
  readonly blind: boolean
}

/** The answer about a wallet. `note` says what was read otherwise than it was perhaps meant. */
export function keyAnswer(dialect: Dialect, key: KeyAnswer, note: string): object {
  if (dialect === 'bridge') return { ...key, status: 'success', note }
  const field = key.scheme === 'ed25519' ? 'eddsa_pub_key' : 'ecdsa_pub_key'
  return {
    wallet_id: key.walletID,
    [field]: toBase64(fromHex(key.publicKey)),
    address: key.address,
    network: key.network,
    threshold: key.threshold,
    total_parties: key.totalParties,
    result_type: 'success',
    note,
  }
}

export type SignatureAnswer = {
  readonly walletID: string
  readonly digest: Uint8Array
  readonly publicKey: Uint8Array
  /** 64 bytes. */
  readonly signature: Uint8Array
  /** 0 to 3 for ECDSA. */
  readonly recoveryId: number | undefined
  /** Numbers of the nodes that signed. */
  readonly signers: readonly number[]
  readonly txId: string | undefined
}

/** The answer with a signature: r, s and recid of an ECDSA one beside it, as old clients read them. */
export function signatureAnswer(dialect: Dialect, answer: SignatureAnswer, note: string): object {
  const { walletID, digest: hash, publicKey, signature, recoveryId, signers: nodes, txId } = answer
  const [r, s] = [signature.slice(0, 32), signature.slice(32)]
  if (dialect === 'bridge')
    return {
      walletID,
      messageHash: toHex(hash),
      publicKey: toHex(publicKey),
      signature: toHex(signature),
      ...(recoveryId !== undefined && { r: toHex(r), s: toHex(s), recid: recoveryId }),
      signers: nodes,
      status: 'success',
      note,
    }
  return {
    wallet_id: walletID,
    ...(txId !== undefined && { tx_id: txId }),
    ...(recoveryId === undefined
      ? { signature: toBase64(signature) }
      : {
          r: toBase64(r),
          s: toBase64(s),
          signature_recovery: toBase64(Uint8Array.of(recoveryId)),
        }),
    signers: nodes,
    result_type: 'success',
    note,
  }
}

/** The threshold of ours: old clients say how many parties may be corrupt. @throws api/bad-threshold where none would be left */
export function signersFor({
  corruptionBound,
  parties,
}: Pick<KeygenRequest, 'corruptionBound' | 'parties'>): number {
  const threshold = corruptionBound + 1
  if (threshold > parties)
    throw new Fault('api/bad-threshold', {
      detail: `threshold ${corruptionBound} is a corruption bound here and takes ${threshold} signers of ${parties}`,
    })
  return threshold
}
