import assert from 'node:assert/strict'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import {
  acceptChain,
  type ClusterRecord,
  decodeSignedRecord,
  encodeClusterRecord,
  encodeSignedRecord,
  signClusterRecord,
} from '@quorate/auth'
import { Fault, type FaultCode, isFault, parseId, Secret } from '@quorate/base'
import { TestNode } from '@quorate/enclave/testing'
import type { PublicState } from '#src/channel/outcomes.js'
import { newRecipientKey } from '#src/signer-process/backup/recipient-key.js'
import { verifyEd25519 } from '#src/signer-process/node-crypto.js'
import { LIMIT, Treasury } from '../../treasury.ts'

const isCode = (code: FaultCode) => (error: unknown) => isFault(error, code)
const FEE = 5_000n
const HALF = LIMIT / 2n - FEE

const accepted = (chain: readonly Uint8Array[]) =>
  acceptChain(chain.map(decodeSignedRecord), { verify: verifyEd25519 })

async function nextRecord(
  { cluster }: Treasury,
  change: Partial<ClusterRecord>,
): Promise<Uint8Array> {
  const { cluster: id, hash, record } = accepted(cluster.chain)
  const next = encodeClusterRecord({
    ...record,
    number: record.number + 1,
    cluster: id,
    previous: hash,
    createdAt: cluster.time.now(),
    ...change,
  })
  const by = { kind: 'admin', value: 'admin' } as const
  const signatures = [await signClusterRecord(next, by, cluster.admin)]
  return encodeSignedRecord({ record: next, signatures })
}

/** Puts the record with these changes in force at all nodes, which start again. */
async function agree(treasury: Treasury, change: Partial<ClusterRecord>): Promise<void> {
  const { cluster } = treasury
  cluster.chain = [...cluster.chain, await nextRecord(treasury, change)]
  for (const node of cluster.nodes) if (node.isUp) cluster.kill(node)
  cluster.time.advance(1)
  for (const node of cluster.nodes) await cluster.restart(node)
  await cluster.settle()
}

const stateOf = ({ cluster }: Treasury, { disk }: TestNode): PublicState => ({
  chain: cluster.chain,
  burnt: disk.burnt,
  requests: [...disk.requests.values()],
  ledger: [...disk.ledger.values()],
  highWaters: [...disk.highWaters].map(([wallet, time]) => ({ wallet, time })),
  policies: [...disk.policies.values()],
  highWater: 0,
})

describe('the backup of one node of three', () => {
  const { key, secret } = newRecipientKey()
  const opening = (): Uint8Array => secret.expose().slice()
  let treasury: Treasury
  let file: Uint8Array
  let second: Uint8Array
  before(async () => {
    treasury = await Treasury.open()
    const node = treasury.node(1)
    const state = stateOf(treasury, node)
    await assert.rejects(
      Promise.resolve().then(() => node.signer.backup({ number: 1, previous: null, state })),
      isCode('enclave/no-recipients'),
    )
    await agree(treasury, { recipients: [{ name: 'vault', kind: 'file', key }] })
    const now = stateOf(treasury, node)
    const first = await node.signer.backup({ number: 1, previous: null, state: now })
    file = first.file
    second = (await node.signer.backup({ number: 2, previous: first.digest, state: now })).file
  })
  after(() => treasury.close())

  const check = (bytes: Uint8Array, by = opening(), chain = treasury.cluster.chain) =>
    treasury.node(2).signer.checkBackup({ file: bytes, secret: by, chain })

  test('whoever holds the secret of a recipient opens it, and finds every share good', () => {
    const { index, number, wallets } = check(file)
    assert.deepEqual({ index, number, wallets }, { index: 1, number: 1, wallets: 1 })
  })

  test('any other secret does not open it', () => {
    const other = newRecipientKey().secret
    assert.throws(() => check(file, other.expose()), isCode('enclave/backup-not-for-key'))
  })

  test('a byte that differs anywhere, and a file that is cut, are refused', () => {
    for (let at = 0; at < file.length; at += 97) {
      const altered = file.slice()
      altered[at]! ^= 1
      assert.throws(() => check(altered), Fault, `byte ${at}`)
    }
    for (const length of [0, 1, 100, file.length - 1])
      assert.throws(() => check(file.subarray(0, length)), isCode('enclave/bad-backup'))
  })

  test('parts of two backups do not make one', () => {
    // Both are maps of head, header and body with parts of the same lengths.
    const [from, to] = [Math.floor(file.length / 2), file.length]
    const mixed = file.slice()
    mixed.set(second.subarray(from, to), from)
    assert.throws(() => check(mixed), isCode('enclave/bad-backup'))
  })

  test('the backup of another cluster is refused', async () => {
    const foreign = await Treasury.open()
    try {
      assert.throws(
        () => check(file, opening(), foreign.cluster.chain),
        isCode('auth/other-cluster'),
      )
    } finally {
      foreign.close()
    }
  })
})

test('a node restored from an older backup signs nothing over a limit, and its old machine is out', async () => {
  const treasury = await Treasury.open()
  const { cluster } = treasury
  try {
    const { key, secret } = newRecipientKey()
    await agree(treasury, { recipients: [{ name: 'vault', kind: 'file', key }] })
    const old = treasury.node(1)
    const state = stateOf(treasury, old)
    const { file } = await old.signer.backup({ number: 1, previous: null, state })
    // Nodes 1 and 2 spend all there is, of which the backup knows nothing.
    cluster.kill(treasury.node(3))
    await treasury.pay(HALF, 1)
    await treasury.pay(HALF, 1)
    const earlier = (await treasury.payment(1n)).request
    cluster.time.advance(1)
    await cluster.restart(treasury.node(3))
    cluster.kill(old)

    const fresh = new TestNode(1, join(cluster.root, 'hsm-new'), cluster.time.now())
    await cluster.boot(fresh)
    const opened = fresh.signer.restore({ file, secret: secret.expose(), chain: cluster.chain })
    const { disk } = fresh
    for (const row of opened.rows) fresh.apply({ kind: 'putPending', value: row })
    for (const row of opened.state.ledger) fresh.apply({ kind: 'putLedger', value: row })
    for (const value of opened.state.highWaters) fresh.apply({ kind: 'raiseHighWater', value })
    assert.equal(disk.rows.size, 1)

    const { record } = accepted(cluster.chain)
    const { identity } = fresh
    const at = cluster.time.now()
    const restored = {
      number: opened.number,
      backup: opened.digest,
      at,
      isOlderAccepted: true,
    }
    const nodes = record.nodes.map((node) =>
      node.index === 1
        ? {
            ...node,
            id: parseId('nod', identity.nodeId),
            identityKey: identity.identityKey,
            restored,
          }
        : node,
    )
    cluster.nodes[0] = fresh
    fresh.isUp = false
    const before = [...cluster.chain]
    await agree(treasury, { nodes })

    // The machine that was lost comes back, with the record of before.
    await cluster.boot(old)
    const { chain } = cluster
    cluster.chain = before
    await cluster.join(old)
    cluster.chain = chain
    for (const node of cluster.nodes)
      assert.throws(() => node.signer.peer({ record: old.epoch }), isCode('auth/unknown-node'))
    assert.throws(
      () => treasury.node(2).signer.join({ chain: before }),
      isCode('auth/record-not-newer'),
    )

    await assert.rejects(
      cluster.submit(fresh, earlier),
      (error) => isFault(error) && causes(error).includes('enclave/before-restore'),
    )
    cluster.time.advance(31_000)
    cluster.kill(treasury.node(2))
    await assert.rejects(
      treasury.pay(1_000n, 1),
      (error) => isFault(error) && causes(error).includes('policy/over-limit'),
    )
    assert.deepEqual(
      cluster.nodes.flatMap(({ evidence }) => evidence),
      [],
    )
    // Once the window has passed it signs like any other.
    cluster.time.advance(3_600_001)
    cluster.time.advance(1)
    await cluster.restart(treasury.node(2))
    await cluster.settle()
    await treasury.pay(HALF, 1)
  } finally {
    treasury.close()
  }
})

test('a restored node that nobody tells what it has forgotten does not sign', async () => {
  const treasury = await Treasury.open()
  const { cluster } = treasury
  try {
    const { key, secret } = newRecipientKey()
    await agree(treasury, { recipients: [{ name: 'vault', kind: 'file', key }] })
    const old = treasury.node(1)
    const state = stateOf(treasury, old)
    const { file } = await old.signer.backup({ number: 1, previous: null, state })
    cluster.kill(old)
    const fresh = new TestNode(1, join(cluster.root, 'hsm-new'), cluster.time.now())
    await cluster.boot(fresh)
    using moved = new Secret(secret.expose().slice())
    const opened = fresh.signer.restore({ file, secret: moved.expose(), chain: cluster.chain })
    for (const row of opened.rows) fresh.apply({ kind: 'putPending', value: row })
    const { record } = accepted(cluster.chain)
    const { digest: backup, number } = opened
    const restored = { number, backup, at: cluster.time.now(), isOlderAccepted: false }
    const id = parseId('nod', fresh.identity.nodeId)
    const { identityKey } = fresh.identity
    cluster.nodes[0] = fresh
    fresh.isUp = false
    cluster.tamper = (wire) => (wire.to === 1 && wire.from === 3 ? [] : [wire])
    await agree(treasury, {
      nodes: record.nodes.map((node) =>
        node.index === 1 ? { ...node, id, identityKey, restored } : node,
      ),
    })
    cluster.time.advance(31_000)
    assert.deepEqual(fresh.signer.restoreStatus(), {
      asking: [treasury.row.wallet],
      unrefreshed: [treasury.row.wallet],
    })
    await assert.rejects(
      treasury.pay(1_000n, 1),
      (error) => isFault(error) && causes(error).includes('enclave/restoring'),
    )
    cluster.tamper = (wire) => [wire]
    cluster.kill(treasury.node(3))
    cluster.time.advance(1)
    await cluster.restart(treasury.node(3))
    await cluster.settle()
    assert.deepEqual(fresh.signer.restoreStatus().asking, [])
    await treasury.pay(1_000n, 1)
  } finally {
    treasury.close()
  }
})

function causes(error: Fault): readonly string[] {
  const { cause } = error
  return isFault(cause) ? [error.code, ...causes(cause)] : [error.code]
}
