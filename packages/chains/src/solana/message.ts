/**
 * Solana transactions on the wire: legacy and version 0 messages, read strictly.
 *
 *   transaction  compact count ‖ 64-byte signatures ‖ message
 *   message      [0x80 for version 0] ‖ header(3) ‖ account keys ‖ blockhash ‖ instructions ‖ [table lookups]
 *
 * Checked as the network does before it runs anything (Agave `sanitize`): counts that fit, indexes in
 * range, no key twice, a payer that signs and writes. Lengths must be in their shortest form, so
 * writing it again gives the same bytes.
 * Spec: https://solana.com/docs/core/transactions
 */
import { concatBytes, Fault, toHex } from '@quorate/base'
import { ByteReader, encodeCompactU16 } from '../encoding/reader.ts'

/** One UDP packet: 1280 bytes of IPv6 less 48 of headers. */
export const MAX_WIRE_BYTES = 1232
const SIGNATURE_BYTES = 64
const KEY_BYTES = 32
const VERSION_FLAG = 0x80
const MAX_ACCOUNTS = 256
/** Agave refuses more at the top level (SIMD-0160). */
const MAX_INSTRUCTIONS = 64

export type Instruction = {
  /** Indexes into the account keys, then into the looked-up accounts. */
  readonly program: number
  readonly accounts: readonly number[]
  readonly data: Uint8Array
}

export type TableLookup = {
  readonly table: Uint8Array
  readonly writable: readonly number[]
  readonly readonly: readonly number[]
}

export type Message = {
  readonly bytes: Uint8Array
  readonly version: 'legacy' | 0
  /** The first keys of `accounts` sign. The very first pays. */
  readonly signerCount: number
  readonly readonlySigned: number
  readonly readonlyUnsigned: number
  /** 32 bytes each. */
  readonly accounts: readonly Uint8Array[]
  readonly blockhash: Uint8Array
  readonly instructions: readonly Instruction[]
  readonly lookups: readonly TableLookup[]
}

export type WireTransaction = {
  readonly message: Message
  /** As many as the message has signers; zeros where one is still missing. */
  readonly signatures: readonly Uint8Array[]
}

/** Bytes to be signed with the signatures that stand before them. */
export type Envelope = {
  /** `undefined` where the bytes stand alone. */
  readonly signatures: readonly Uint8Array[] | undefined
  readonly message: Uint8Array
}

/**
 * The parts of what is sent around. The first byte tells whether signatures come first, since
 * nothing has 128 signers. @throws chains/malformed-transaction
 */
export function splitEnvelope(bytes: Uint8Array): Envelope {
  if ((bytes[0] ?? 0) >= VERSION_FLAG) return { signatures: undefined, message: bytes }
  const reader = new ByteReader(bytes)
  const signatures = reader.compactArray(() => reader.bytes(SIGNATURE_BYTES))
  return { signatures, message: reader.rest() }
}

/** The signatures, counted, and the message behind them. */
export const joinEnvelope = (signatures: readonly Uint8Array[], message: Uint8Array): Uint8Array =>
  concatBytes(encodeCompactU16(signatures.length), ...signatures, message)

/** The signatures given, one for each signer, or as many empty places. @throws chains/malformed-transaction */
export function placesFor(
  signers: number,
  signatures: readonly Uint8Array[] | undefined,
): readonly Uint8Array[] {
  if (signatures !== undefined && signatures.length !== signers)
    refuse('it has not as many signatures as signers')
  return signatures ?? Array.from({ length: signers }, () => new Uint8Array(SIGNATURE_BYTES))
}

function refuse(detail: string): never {
  throw new Fault('chains/malformed-transaction', { detail })
}

/**
 * The transaction in `bytes`: a wire transaction, or a bare version 0 message, which stands for the
 * transaction without signatures.
 * @throws chains/malformed-transaction, chains/unsupported-version, chains/transaction-too-large
 */
export function readTransaction(bytes: Uint8Array): WireTransaction {
  if (bytes.length > MAX_WIRE_BYTES)
    throw new Fault('chains/transaction-too-large', {
      detail: `${bytes.length} bytes, at most ${MAX_WIRE_BYTES}`,
    })
  const envelope = splitEnvelope(bytes)
  const message = readMessage(envelope.message)
  const signatures = placesFor(message.signerCount, envelope.signatures)
  if (joinEnvelope(signatures, message.bytes).length > MAX_WIRE_BYTES)
    throw new Fault('chains/transaction-too-large', { detail: 'with its signatures' })
  return { message, signatures }
}

function readMessage(bytes: Uint8Array): Message {
  const reader = new ByteReader(bytes)
  const first = reader.u8()
  if (first > VERSION_FLAG)
    throw new Fault('chains/unsupported-version', { detail: `message version ${first & 0x7f}` })
  const version = first === VERSION_FLAG ? 0 : 'legacy'
  const signerCount = version === 0 ? reader.u8() : first
  const message: Message = {
    bytes,
    version,
    signerCount,
    readonlySigned: reader.u8(),
    readonlyUnsigned: reader.u8(),
    accounts: reader.compactArray(() => reader.bytes(KEY_BYTES)),
    blockhash: reader.bytes(KEY_BYTES),
    instructions: reader.compactArray(() => readInstruction(reader)),
    lookups: version === 0 ? reader.compactArray(() => readLookup(reader)) : [],
  }
  reader.end()
  check(message)
  return message
}

const readIndexes = (reader: ByteReader): readonly number[] =>
  reader.compactArray(() => reader.u8())

const readInstruction = (reader: ByteReader): Instruction => ({
  program: reader.u8(),
  accounts: readIndexes(reader),
  data: reader.bytes(reader.compactU16()),
})

const readLookup = (reader: ByteReader): TableLookup => ({
  table: reader.bytes(KEY_BYTES),
  writable: readIndexes(reader),
  readonly: readIndexes(reader),
})

function check(message: Message): void {
  const { accounts, signerCount, readonlySigned, readonlyUnsigned, instructions, lookups } = message
  if (signerCount === 0 || readonlySigned >= signerCount) refuse('nobody signs who could pay')
  if (signerCount + readonlyUnsigned > accounts.length)
    refuse('its header names more accounts than it has')
  if (new Set(accounts.map(toHex)).size !== accounts.length) refuse('an account is listed twice')
  if (lookups.some(({ writable, readonly }) => writable.length + readonly.length === 0))
    refuse('a table lookup that looks nothing up')
  const [writable, readable] = lookedUp(message)
  const total = accounts.length + writable + readable
  if (total > MAX_ACCOUNTS) refuse('more than 256 accounts')
  if (instructions.length > MAX_INSTRUCTIONS) refuse('more than 64 instructions')
  for (const { program, accounts: used } of instructions) {
    // Programs may not come out of a table, nor may the payer be one.
    if (program === 0 || program >= accounts.length) refuse('an instruction without a program')
    if (used.some((index) => index >= total))
      refuse('an instruction names an account that is not there')
  }
}

/** The keys that must sign, in the order of their signatures. */
export const signersOf = ({ accounts, signerCount }: Message): readonly Uint8Array[] =>
  accounts.slice(0, signerCount)

/** How many accounts the tables give: writable ones, and others. */
export const lookedUp = ({ lookups }: Message): readonly [number, number] => [
  lookups.reduce((sum, { writable }) => sum + writable.length, 0),
  lookups.reduce((sum, { readonly }) => sum + readonly.length, 0),
]

/** Whether nobody has signed in that place yet. */
export const isEmptySignature = (signature: Uint8Array): boolean =>
  signature.every((byte) => byte === 0)
