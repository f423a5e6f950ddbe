/** Backups as the signer makes, checks and takes them over: what is secret in them never leaves it. */
import { type AcceptedRecord, acceptChain, decodeSignedRecord } from '@quorate/auth'
import { equalBytes, Fault, type Random, Secret, wipe } from '@quorate/base'
import { decodeEntry, encodeEntry } from '@quorate/policy'
import { decodeKeyShare, type PartyId, partyId } from '@quorate/threshold'
import type { PublicState } from '../../channel/outcomes.ts'
import type { AuxRow, LedgerRow, WalletRow } from '../../channel/rows.ts'
import { type AuxStore, sealAux } from '../aux-store.ts'
import { verifyEd25519 } from '../node-crypto.ts'
import { sealShare } from '../shares.ts'
import type { Vault } from '../vault.ts'
import type { Wallets } from '../wallets.ts'
import { openBackup, sealBackup } from './backup-file.ts'
import {
  generationOf,
  readSnapshot,
  type Snapshot,
  takeSnapshot,
  wipeSnapshot,
} from './snapshot.ts'

export type Made = {
  readonly file: Uint8Array
  readonly head: Uint8Array
  readonly digest: Uint8Array
  readonly generation: Uint8Array
  readonly drill: Uint8Array
}

/**
 * Backup `number` of this node, sealed to those whom the cluster record in force names: the daemon has no say in it.
 * @throws enclave/no-recipients, enclave/backup-too-large, enclave/store-mismatch
 */
export async function makeBackup(o: {
  readonly number: number
  readonly previous: Uint8Array | null
  readonly state: PublicState
  readonly vault: Vault
  readonly wallets: Wallets
  readonly auxes: AuxStore
  readonly cluster: AcceptedRecord
  readonly index: PartyId
  readonly random: Random
  readonly now: number
}): Promise<Made> {
  const { number, previous, state, vault, cluster, index, random, now } = o
  const recipients = (cluster.record.recipients ?? []).filter(
    ({ nodes }) => nodes === undefined || nodes.includes(index),
  )
  if (recipients.length === 0) throw new Fault('enclave/no-recipients')
  if (!equalBytes(chainIn(state.chain).hash, cluster.hash)) throw new Fault('enclave/bad-backup')
  const { plain, generation } = takeSnapshot(o, index, state)
  try {
    const place = {
      cluster: cluster.cluster,
      index,
      nodeId: vault.nodeId,
      number,
      previous,
      generation,
      createdAt: now,
    }
    const { identity } = vault.hsm
    const made = await sealBackup({ place, snapshot: plain, recipients, identity, random })
    return { ...made, generation }
  } finally {
    wipe(plain)
  }
}

const chainIn = (chain: readonly Uint8Array[]): AcceptedRecord =>
  acceptChain(chain.map(decodeSignedRecord), { verify: verifyEd25519 })

export type OpenedSummary = {
  readonly cluster: Uint8Array
  readonly index: number
  readonly nodeId: string
  readonly number: number
  readonly digest: Uint8Array
  readonly createdAt: number
  readonly wallets: number
  readonly token: Uint8Array
}

type Asked = {
  readonly file: Uint8Array
  readonly secret: Uint8Array
  /** Cluster records as the operators have them. */
  readonly chain: readonly Uint8Array[]
}

type Opened = { readonly summary: OpenedSummary; readonly snapshot: Snapshot }

/** Opens a backup, and wipes the secret. The caller ends the snapshot. */
function open({ file, secret: bytes, chain }: Asked): Opened {
  using secret = new Secret(bytes)
  const cluster = chainIn(chain)
  const { header, digest, snapshot: plain, token } = openBackup(file, secret.expose(), cluster)
  try {
    const snapshot = readSnapshot(plain, header.index)
    if (!equalBytes(generationOf(snapshot.wallets.map(({ row }) => row)), header.generation))
      throw new Fault('enclave/bad-backup')
    const { index, nodeId, number, createdAt } = header
    const of = { cluster: cluster.cluster, index, nodeId, number, digest, createdAt, token }
    return { summary: { ...of, wallets: snapshot.wallets.length }, snapshot }
  } finally {
    wipe(plain)
  }
}

/** Opens a backup and checks all that it holds; nothing of it is kept. @throws enclave/bad-backup, enclave/backup-… */
export function checkBackup(asked: Asked): OpenedSummary {
  const { summary, snapshot } = open(asked)
  longerOf(asked.chain, snapshot.chain)
  wipeSnapshot(snapshot)
  return summary
}

export type RestoredState = OpenedSummary & {
  readonly state: PublicState
  readonly rows: readonly WalletRow[]
  readonly aux: readonly AuxRow[]
  readonly generation: Uint8Array
}

/**
 * What a backup holds, sealed for the store of this machine. Sessions that were open then count as
 * released, because nobody knows here whether their shares left later.
 * @throws enclave/bad-backup, enclave/backup-not-for-key, enclave/backup-unreadable, auth/…
 */
export function restoreBackup(asked: Asked & { readonly vault: Vault }): RestoredState {
  const { summary, snapshot } = open(asked)
  const { vault } = asked
  try {
    const { burnt, requests, highWaters, policies, highWater } = snapshot
    const rows = snapshot.wallets.map(({ row, share }) => ({
      ...row,
      sealed: sealedAgain(vault, share, row.sid),
    }))
    return {
      ...summary,
      state: {
        chain: longerOf(asked.chain, snapshot.chain),
        burnt,
        requests,
        ledger: snapshot.ledger.map(released),
        highWaters,
        policies,
        highWater,
      },
      rows,
      aux: snapshot.auxes.map(({ row, info }) => ({ ...row, sealed: sealAux(vault, info, row) })),
      generation: generationOf(rows),
    }
  } finally {
    wipeSnapshot(snapshot)
  }
}

function sealedAgain(vault: Vault, encoded: Uint8Array, sid: Uint8Array): Uint8Array {
  const share = decodeKeyShare(encoded)
  using _ = share.secret
  return sealShare(vault, { ...share, party: partyId(share.party) }, sid)
}

function released(row: LedgerRow): LedgerRow {
  const entry = decodeEntry(row.entry)
  if (entry.state !== 'open') return row
  return { ...row, entry: encodeEntry({ ...entry, state: 'released' }) }
}

/** The longer of two chains of one cluster, of which `one` was accepted. @throws auth/record-forked where they part */
function longerOf(one: readonly Uint8Array[], other: readonly Uint8Array[]): readonly Uint8Array[] {
  for (let i = 0; i < Math.min(one.length, other.length); i++)
    if (!equalBytes(decodeSignedRecord(one[i]!).record, decodeSignedRecord(other[i]!).record))
      throw new Fault('auth/record-forked')
  chainIn(other)
  return one.length >= other.length ? one : other
}
