/**
 * What a backup holds: the shares of all active wallets, auxiliary secrets, and all that a node knows it must
 * not do again. Never nonces, presignatures, primes or the keys of the machine: the machine that
 * takes over has its own.
 */
import {
  array,
  bytes,
  decode,
  encode,
  equalBytes,
  Fault,
  field,
  int,
  record,
  TAGS,
  taggedHash,
  text,
  wipe,
} from '@quorate/base'
import {
  decodeKeyShare,
  type KeyShare,
  type PartyId,
  validateEcdsaShare,
  validateShare,
  walletKeyCodec,
} from '@quorate/threshold'
import { type PublicState, publicState } from '../../channel/outcomes.ts'
import { type AuxRow, auxRow, type WalletRow, walletRow } from '../../channel/rows.ts'
import { decodeWallet } from '../../wallet-record.ts'
import { type AuxStore, openAux } from '../aux-store.ts'
import { openEncodedShare } from '../shares.ts'
import type { Vault } from '../vault.ts'
import type { Wallets } from '../wallets.ts'
import { MAX_BACKUP_BYTES } from './backup-file.ts'

export type Snapshot = PublicState & {
  readonly v: number
  /** Rows without their sealed part, and the encoded `KeyShare` of each. */
  readonly wallets: readonly { readonly row: WalletRow; readonly share: Uint8Array }[]
  /** The same, with the encoded `AuxInfo` of each. */
  readonly auxes: readonly { readonly row: AuxRow; readonly info: Uint8Array }[]
}

const blob = bytes({ max: 1 << 20 })

const snapshotCodec = record({
  v: field(0, int(1, 1)),
  state: field(1, publicState),
  wallets: field(
    2,
    array(record({ row: field(0, walletRow), share: field(1, blob) }), { max: 100_000 }),
  ),
  auxes: field(3, array(record({ row: field(0, auxRow), info: field(1, blob) }), { max: 1000 })),
})

const NONE = new Uint8Array()

export type Taken = {
  /** The caller wipes it. */
  readonly plain: Uint8Array
  readonly generation: Uint8Array
}

/** What this node holds now, its shares and auxiliary secrets opened, as bytes. @throws enclave/store-mismatch */
export function takeSnapshot(
  { vault, wallets, auxes }: { vault: Vault; wallets: Wallets; auxes: AuxStore },
  index: PartyId,
  state: PublicState,
): Taken {
  const active = wallets.all.filter(({ row }) => row.state === 'active')
  const shares = active.map((stored) => openEncodedShare(vault, index, stored))
  const infos = auxes.all.map((row) => ({ row, info: openAux(vault, row) }))
  try {
    const plain = encode(snapshotCodec, {
      v: 1,
      state,
      wallets: active.map(({ row }, i) => ({
        row: { ...row, sealed: NONE },
        share: shares[i]!.expose(),
      })),
      auxes: infos.map(({ row, info }) => ({ row: { ...row, sealed: NONE }, info: info.expose() })),
    })
    return { plain, generation: generationOf(active.map(({ row }) => row)) }
  } finally {
    for (const share of shares) share[Symbol.dispose]()
    for (const { info } of infos) info[Symbol.dispose]()
  }
}

const generationCodec = array(
  record({ wallet: field(0, text(64)), generation: field(1, int()), sid: field(2, bytes(32)) }),
  { max: 100_000 },
)

/** 32 bytes that name the generations of these wallets. */
export const generationOf = (rows: readonly WalletRow[]): Uint8Array =>
  taggedHash(
    TAGS.backupGeneration,
    encode(
      generationCodec,
      rows
        .map(({ wallet, generation, sid }) => ({ wallet, generation, sid }))
        .sort((a, b) => (a.wallet < b.wallet ? -1 : 1)),
    ),
  )

/**
 * What a snapshot of node `index` holds, each share checked against the public record of its wallet. Treats
 * `plain` as secret, and the result; `wipeSnapshot` ends it.
 * @throws enclave/bad-backup
 */
export function readSnapshot(plain: Uint8Array, index: number): Snapshot {
  try {
    const { v, state, wallets, auxes } = decode(snapshotCodec, plain, {
      maxBytes: MAX_BACKUP_BYTES,
    })
    for (const { row, share } of wallets) checkShare(row, share, index)
    for (const { row } of wallets) {
      const { aux } = decodeWallet(row.public).key
      if (aux !== undefined && !auxes.some(({ row: { digest } }) => equalBytes(digest, aux)))
        throw new Fault('enclave/unknown-aux')
    }
    return { v, ...state, wallets, auxes }
  } catch (cause) {
    throw new Fault('enclave/bad-backup', { detail: 'what it holds does not fit together', cause })
  }
}

function checkShare(row: WalletRow, encoded: Uint8Array, index: number): void {
  const share: KeyShare = decodeKeyShare(encoded)
  const { secret, key, party } = share
  try {
    const { key: known } = decodeWallet(row.public)
    const isOfRow =
      party === index && equalBytes(encode(walletKeyCodec, known), encode(walletKeyCodec, key))
    if (!isOfRow) throw new Fault('threshold/inconsistent-share')
    if (key.protocol === 'cggmp24') validateEcdsaShare(share)
    else validateShare(share)
  } finally {
    secret[Symbol.dispose]()
  }
}

/** Wipes every secret of it. */
export function wipeSnapshot({ wallets, auxes }: Snapshot): void {
  wipe(...wallets.map(({ share }) => share), ...auxes.map(({ info }) => info))
}
