/**
 * Texts that are signed for others than the network. Their first byte begins no transaction, so a
 * signature of one is never worth anything as the other.
 *
 *   version 0  0xff "solana offchain" ‖ 0 ‖ application(32) ‖ format ‖ count ‖ signers ‖ length(16) ‖ text
 *   version 1  0xff "solana offchain" ‖ 1 ‖ count ‖ signers, sorted ‖ text
 *
 * Spec: https://docs.anza.xyz/proposals/off-chain-message-signing, and sRFC 38 for version 1.
 */
import type { TxView } from '@quorate/api'
import { compareBytes, concatBytes, equalBytes, Fault, fromUtf8, utf8 } from '@quorate/base'
import { base58 } from '@scure/base'
import { ByteReader } from '../encoding/reader.ts'
import type { SolanaNetwork } from '../networks.ts'
import { placesFor, splitEnvelope } from './message.ts'
import { quoted } from './programs/memo.ts'
import type { Signable } from './transaction.ts'

const DOMAIN = concatBytes(Uint8Array.of(0xff), utf8('solana offchain'))
const KEY_BYTES = 32
/** By format: restricted ASCII, short UTF-8, long UTF-8. */
const MAX_TEXT_BYTES = [1232, 1232, 65_535] as const
const ASCII = 0
/** Of version 1, which states none, and of both with their signatures. */
const MAX_BYTES = 1 << 17
/** Of the text in the view. */
const MAX_SHOWN = 4096

export type OffchainMessage = {
  readonly version: 0 | 1
  readonly bytes: Uint8Array
  /** 32 bytes that name who will read it; version 0 only. */
  readonly application: Uint8Array | undefined
  readonly signers: readonly Uint8Array[]
  readonly text: string
}

function refuse(detail: string): never {
  throw new Fault('chains/malformed-transaction', { detail })
}

/** Whether `unsigned`, with or without signatures before it, is an off-chain message. */
export function isOffchain(unsigned: Uint8Array): boolean {
  const [first] = unsigned
  if (first === undefined || first >= 0x80) return first === DOMAIN[0]
  return unsigned[1 + 64 * first] === DOMAIN[0]
}

/** @throws chains/malformed-transaction, chains/unsupported-version, chains/transaction-too-large */
export function readOffchain(bytes: Uint8Array): OffchainMessage {
  const reader = new ByteReader(bytes)
  if (!equalBytes(reader.bytes(DOMAIN.length), DOMAIN)) refuse('not an off-chain message')
  const version = reader.u8()
  if (version > 1)
    throw new Fault('chains/unsupported-version', {
      detail: `off-chain message version ${version}`,
    })
  return version === 0 ? readVersion0(reader, bytes) : readVersion1(reader, bytes)
}

function readSigners(reader: ByteReader): readonly Uint8Array[] {
  const signers = Array.from({ length: reader.u8() }, () => reader.bytes(KEY_BYTES))
  if (signers.length === 0) refuse('nobody is to sign it')
  if (new Set(signers.map((each) => base58.encode(each))).size !== signers.length)
    refuse('a signer is listed twice')
  return signers
}

function readText(bytes: Uint8Array): string {
  const text = fromUtf8(bytes)
  if (text === undefined || text === '') refuse('no text')
  return text
}

function readVersion0(reader: ByteReader, bytes: Uint8Array): OffchainMessage {
  const application = reader.bytes(KEY_BYTES)
  const format = reader.u8()
  const most = MAX_TEXT_BYTES[format] ?? refuse('an unknown format')
  const signers = readSigners(reader)
  const length = reader.u8() | (reader.u8() << 8)
  const body = reader.rest()
  if (body.length !== length) refuse('the length is not that of the text')
  if (length > most) refuse('longer than its format allows')
  if (format === ASCII && body.some((byte) => byte < 0x20 || byte > 0x7e))
    refuse('characters that its format does not allow')
  return { version: 0, bytes, application, signers, text: readText(body) }
}

function readVersion1(reader: ByteReader, bytes: Uint8Array): OffchainMessage {
  const signers = readSigners(reader)
  if (signers.some((key, i) => i > 0 && compareBytes(signers[i - 1]!, key) > 0))
    refuse('its signers are not sorted')
  return { version: 1, bytes, application: undefined, signers, text: readText(reader.rest()) }
}

/** A bare message, or one behind a count and as many signatures. @throws as `readOffchain` */
export function offchainSignable(
  unsigned: Uint8Array,
  network: SolanaNetwork,
  publicKey: Uint8Array,
): Signable {
  if (unsigned.length > MAX_BYTES) throw new Fault('chains/transaction-too-large')
  const envelope = splitEnvelope(unsigned)
  const message = readOffchain(envelope.message)
  return {
    message: message.bytes,
    signers: message.signers,
    signatures: placesFor(message.signers.length, envelope.signatures),
    view: () => viewOf(message, network, publicKey),
  }
}

function viewOf(
  { application, signers, text }: OffchainMessage,
  { slug, caip2 }: SolanaNetwork,
  publicKey: Uint8Array,
): TxView {
  const others = signers.filter((each) => !equalBytes(each, publicKey))
  return {
    network: slug,
    caip2,
    kind: 'message',
    from: [base58.encode(publicKey)],
    outputs: [],
    fee: undefined,
    isComplete: false,
    notes: [
      `signs the text ${quoted(text, MAX_SHOWN)}`,
      ...(application === undefined ? [] : [`for the application ${base58.encode(application)}`]),
      ...others.map((each) => `to be signed by ${base58.encode(each)}, too`),
    ],
    warnings: ['what the text is good for is up to whoever reads it'],
  }
}

/** A message of version 1 that the owners of `signers` (32 bytes each) are to sign. */
export const encodeOffchain = (text: string, signers: readonly Uint8Array[]): Uint8Array =>
  concatBytes(
    DOMAIN,
    Uint8Array.of(1, signers.length),
    ...[...signers].sort(compareBytes),
    utf8(text),
  )
