/**
 * What one instruction does, and how the readers of the programs are put together: a table from the
 * number of an instruction to its row. An instruction counts as understood only if its accounts and
 * data are exactly those of its row.
 */
import { isFault } from '@quorate/base'
import { base58 } from '@scure/base'
import { ByteReader } from '../encoding/reader.ts'
import type { Scene } from './scene.ts'

/** Value that changes hands. */
export type Movement = {
  /** Whose it is: the wallet, not the token account. */
  readonly from: string
  /** A wallet where it is proven that the paid account is one of its own, else that account. */
  readonly to: string
  /** `SOL` or a CAIP-19 id. */
  readonly asset: string
  readonly amount: bigint
  readonly isClaimed: boolean
  /** Whether it only keeps an account alive and comes back when that is closed. */
  readonly isRent: boolean
}

export type Effect = {
  readonly movements: readonly Movement[]
  readonly notes: readonly string[]
  readonly warnings: readonly string[]
  /** Whether the movements are all that it takes or gives away. */
  readonly isWhole: boolean
  readonly budget?: Budget
  /** Of a transaction that does not expire. */
  readonly nonce?: { readonly account: string; readonly authority: string }
}

/** What the Compute Budget program is told. */
export type Budget =
  | { readonly kind: 'units'; readonly units: number }
  /** In millionths of a lamport per compute unit. */
  | { readonly kind: 'price'; readonly microLamports: bigint }
  /** On memory or loaded data: it costs nothing. */
  | { readonly kind: 'limit' }
  | { readonly kind: 'unknown' }

/** An effect with nothing but `parts`: whole, and without a word. */
export const effect = (parts: Partial<Effect>): Effect => ({
  movements: [],
  notes: [],
  warnings: [],
  isWhole: true,
  ...parts,
})

/** A movement that is neither claimed nor rent, unless `parts` say so. */
export const movement = (
  parts: Pick<Movement, 'from' | 'to' | 'asset' | 'amount'> & Partial<Movement>,
): Movement => ({ isClaimed: false, isRent: false, ...parts })

export type AccountUse = {
  readonly address: string
  readonly isSigner: boolean
  readonly isWritable: boolean
  /** Whether it comes out of an address table. */
  readonly isClaimed: boolean
}

/** An instruction whose accounts are all told. */
export type Call = {
  readonly program: string
  readonly accounts: readonly AccountUse[]
  readonly data: Uint8Array
  readonly isFirst: boolean
}

/**
 * Accounts behind those that a program looks at, only there so that the transaction is found by them
 * (Solana Pay); `undefined` where one of them could be for something else.
 */
export const referenceNotes = (accounts: readonly AccountUse[]): readonly string[] | undefined =>
  accounts.some(({ isSigner, isWritable }) => isSigner || isWritable)
    ? undefined
    : accounts.map(({ address }) => `can be found by the reference ${address}`)

/** What a program makes of an instruction; `undefined` for what is not understood. */
export type ProgramReader = (call: Call, scene: Scene) => Effect | undefined

/** The rest of an instruction's data, with what only Solana's programs have. */
export class DataReader extends ByteReader {
  address(): string {
    return base58.encode(this.bytes(32))
  }

  /** One byte, 0 or 1, then an address if 1; `null` for any other byte. */
  optionalAddress(): string | undefined | null {
    const has = this.u8()
    if (has > 1) return null
    return has === 1 ? this.address() : undefined
  }

  /** The seed of a derived address: a 64-bit length, at most 32, then bytes; `undefined` for a longer one. */
  seed(): Uint8Array | undefined {
    const length = this.u64()
    return length > 32n ? undefined : this.bytes(Number(length))
  }
}

export type Row = {
  /** How many accounts it takes, or the fewest and the most. */
  readonly accounts: number | readonly [number, number]
  /** `at` gives the address of an account of the instruction. */
  readonly read: (
    at: (index: number) => string,
    data: DataReader,
    scene: Scene,
    call: Call,
  ) => Effect | undefined
}

export type Rows = { readonly [instruction: number]: Row }

/** Reads `call` by its row, `data` being what follows the number of the instruction. */
export function readRow(
  row: Row | undefined,
  call: Call,
  data: Uint8Array,
  scene: Scene,
): Effect | undefined {
  if (row === undefined) return undefined
  const [fewest, most] =
    typeof row.accounts === 'number' ? [row.accounts, row.accounts] : row.accounts
  if (call.accounts.length < fewest || call.accounts.length > most) return undefined
  const reader = new DataReader(data)
  try {
    const result = row.read((index) => call.accounts[index]!.address, reader, scene, call)
    return reader.isAtEnd ? result : undefined
  } catch (error) {
    // Data that ends too early is the program's to refuse; here it is only not understood.
    if (isFault(error, 'chains/malformed-transaction')) return undefined
    throw error
  }
}

/** The reader of a program whose instructions begin with a 32-bit number. */
export const numberedBy32 =
  (rows: Rows): ProgramReader =>
  (call, scene) => {
    if (call.data.length < 4) return undefined
    const kind = new ByteReader(call.data).u32()
    return readRow(
      Object.hasOwn(rows, kind) ? rows[kind] : undefined,
      call,
      call.data.slice(4),
      scene,
    )
  }
