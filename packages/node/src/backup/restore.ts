/**
 * Taking the place of a node: a backup is opened on a machine that belongs to no cluster, and what it
 * holds is written in one transaction. Before that nothing has happened; after it the same backup may be
 * opened any number of times, and gives the same card. By the card the admins make the record that lets
 * this machine in and fences the old one.
 */
import type { Restores } from '@quorate/auth'
import {
  bytes,
  type Codec,
  decode,
  encode,
  equalBytes,
  Fault,
  field,
  int,
  record,
} from '@quorate/base'
import type { Change } from '@quorate/enclave'
import { failpoint, systemClock } from '@quorate/platform'
import type { LocalNode } from '../local.ts'
import { putClusterRecord, statementsOf } from '../statements.ts'
import { BackupStore, putBackup, putRestoredFrom } from './backup-store.ts'

const restoresCodec: Codec<Restores> = record({
  cluster: field(0, bytes(32)),
  index: field(1, int(1)),
  number: field(2, int(1)),
  backup: field(3, bytes(32)),
  at: field(4, int()),
})

/** How long sessions stay burnt that a backup names: longer than any of them can be valid. */
const BURN_MS = 24 * 3_600_000

export type RestoreOptions = {
  readonly file: Uint8Array
  /** Of one of the recipients, 32 bytes; wiped. */
  readonly secret: Uint8Array
  /** Signed cluster records from number 1, as the operators have them. */
  readonly chain: readonly Uint8Array[]
}

/**
 * Takes over what a backup holds.
 * @throws node/not-fresh for a directory in use, enclave/bad-backup, enclave/backup-not-for-key,
 *   enclave/backup-unreadable, auth/…
 */
export async function restoreNode(
  { store, journal, sql, signer, nodeId }: LocalNode,
  { file, secret, chain }: RestoreOptions,
): Promise<Restores> {
  const known = await restoredFrom(sql)
  if (known === undefined && (await store.clusterChain()).length > 0)
    throw new Fault('node/not-fresh')
  const opened = await signer.calls.restore({ file, secret, chain })
  const { cluster, index, number, digest, generation, createdAt, state, rows, aux } = opened
  if (known !== undefined) {
    if (!equalBytes(known.backup, digest)) throw new Fault('node/not-fresh')
    return known
  }
  const at = systemClock.now()
  const restores: Restores = { cluster, index, number, backup: digest, at }
  const changes: Change[] = [
    ...rows.map((value) => ({ kind: 'putPending', value }) as const),
    ...aux.map((value) => ({ kind: 'putAux', value }) as const),
    ...state.burnt.map((sid) => ({ kind: 'burn', value: { sid, until: at + BURN_MS } }) as const),
    ...state.requests.map((value) => ({ kind: 'putRequest', value }) as const),
    ...state.ledger.map((value) => ({ kind: 'putLedger', value }) as const),
    ...state.highWaters.map((value) => ({ kind: 'raiseHighWater', value }) as const),
    ...state.policies.map((value) => ({ kind: 'putPolicy', value }) as const),
  ]
  failpoint('node/restore/before-commit')
  await journal.commit(
    [
      ...state.chain.map((signed, i) => putClusterRecord(i + 1, signed)),
      ...changes.flatMap(statementsOf),
      // The machine goes on where the chain of backups ended.
      putBackup({
        number,
        digest,
        generation,
        drill: new Uint8Array(32),
        head: new Uint8Array(),
        createdAt,
        isKept: false,
      }),
      putRestoredFrom(encode(restoresCodec, restores)),
    ],
    [
      {
        actor: nodeId,
        action: 'node.restore',
        resource: opened.nodeId,
        decision: 'none',
        outcome: 'done',
        fields: [
          { name: 'number', kind: 'int', value: number },
          { name: 'wallets', kind: 'int', value: rows.length },
        ],
      },
    ],
  )
  failpoint('node/restore/after-commit')
  return restores
}

/** What this machine was restored from; undefined for one that was not. */
export async function restoredFrom(sql: LocalNode['sql']): Promise<Restores | undefined> {
  const value = await new BackupStore(sql).restoredFrom()
  return value && decode(restoresCodec, value, { maxBytes: 256 })
}
