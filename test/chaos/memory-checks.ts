/** What must be true of a cluster in memory after any storm. */
import assert from 'node:assert/strict'
import { decodeRequest, requestHash } from '@quorate/api'
import { toHex } from '@quorate/base'
import { decodeWallet } from '@quorate/enclave'
import type { TestCluster, TestNode } from '@quorate/enclave/testing'
import type { Witness } from './witness.ts'

/** A request as it was submitted, and what came of it. */
export type Asked = {
  readonly bytes: Uint8Array
  readonly at: number
  result?: string
  code?: string
}
export type AuditRecord = TestNode['disk']['audit'][number]
/** Of every node, by its index. */
type Records = ReadonlyMap<number, ReadonlySet<AuditRecord>>

export const HOUR_MS = 3_600_000

/**
 * The most that sessions of one hour took from the wallet: every session of which all signers gave
 * their shares away, for whoever listens has a signature then.
 */
export function worstHourOf(witness: Witness, payments: ReadonlyMap<string, bigint>): bigint {
  const shares = new Map<string, number>()
  for (const { sid } of witness.released) shares.set(sid, (shares.get(sid) ?? 0) + 1)
  const ended = [...shares].flatMap(([sid, count]) => {
    const manifest = witness.manifestOf(sid)!
    const amount = payments.get(toHex(manifest.request))
    return amount === undefined || count < manifest.signers.length
      ? []
      : [{ amount, time: manifest.createdAt }]
  })
  const hours = ended.map(({ time: from }) =>
    ended
      .filter(({ time }) => time >= from && time < from + HOUR_MS)
      .reduce((sum, { amount }) => sum + amount, 0n),
  )
  return hours.sort((a, b) => (a < b ? 1 : -1))[0] ?? 0n
}

/** Every share that left had a decision on its node's disk, and policy allowed it. */
export function assertDecided(witness: Witness, records: Records): void {
  for (const { from, sid } of witness.released) {
    const own = [...(records.get(from) ?? [])]
    const isAllowed = own.some(
      (record) =>
        record.decision === 'allow' && record.sid !== undefined && toHex(record.sid) === sid,
    )
    assert.ok(isAllowed, `node ${from} gave a share of ${sid} away without a decision`)
  }
}

/**
 * Whoever asked for the same got the same, if anything; a session has one result. Of a request whose answer a
 * rollback took from a node's disk that can't be said: the daemon keeps such a node from signing, and there
 * is none here.
 */
export function assertOneOutcome(
  asked: readonly Asked[],
  records: Records,
  forgotten: ReadonlySet<string>,
): void {
  const results = new Map<string, string>()
  for (const { bytes, result } of asked) {
    const hash = toHex(requestHash(decodeRequest(bytes)))
    if (result === undefined || forgotten.has(hash)) continue
    const first = results.get(hash) ?? result
    results.set(hash, first)
    assert.equal(result, first, `request ${hash} came to two results`)
  }
  const txids = new Map<string, string>()
  for (const own of records.values())
    for (const { sid, outcome, fields } of own) {
      const txid = fields.find(({ name }) => name === 'txid')
      if (sid === undefined || outcome !== 'done' || txid === undefined) continue
      const first = txids.get(toHex(sid)) ?? String(txid.value)
      txids.set(toHex(sid), first)
      assert.equal(String(txid.value), first, `session ${toHex(sid)} came to two results`)
    }
}

/** No node broke the protocol, so none may be named. */
export function assertNobodyBlamed(cluster: TestCluster): void {
  for (const { index, evidence, log } of cluster.nodes) {
    assert.equal(evidence.length, 0, `node ${index} holds evidence`)
    for (const { event, fields } of log)
      if (event === 'session.failed')
        assert.equal(fields['culprits'], '', `node ${index} blames ${String(fields['culprits'])}`)
  }
}

/** A wallet is active on every node with the same key, or on none. */
export function assertWholeWallets(cluster: TestCluster): void {
  const held = cluster.nodes.map(({ disk }) =>
    [...disk.rows.values()]
      .map(({ state, public: record }) => {
        const { key } = decodeWallet(record)
        return `${key.wallet}/${key.generation}/${state}/${toHex(key.groupKey)}`
      })
      .sort(),
  )
  for (const each of held) {
    assert.deepEqual(each, held[0])
    for (const row of each) assert.match(row, /\/active\//)
  }
}
