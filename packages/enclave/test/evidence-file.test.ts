import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { type FaultCode, isFault } from '@quorate/base'
import {
  type HostileNode,
  type Said,
  sepoliaTransfer,
  solanaIntent,
  walletBody,
} from '@quorate/enclave/testing'
import { decodeAuxKeys, encodeAuxKeys, type PartyId, partyId } from '@quorate/threshold'
import type { WalletRow } from '#src/channel/rows.js'
import {
  decodeEvidenceFile,
  type EvidenceCase,
  encodeEvidenceFile,
  verifyEvidenceFile,
} from '#src/evidence-file.js'
import { decodeWallet, encodeWallet } from '#src/wallet-record.js'
import { EcdsaCluster } from './ecdsa-cluster.js'

const SEPOLIA = { network: 'ethereum-sepolia', unsigned: sepoliaTransfer(1n) }
const rejected = (error: unknown): boolean =>
  isFault(error, 'threshold/evidence-rejected' satisfies FaultCode)

let world: EcdsaCluster
let hostile: HostileNode
before(async () => {
  world = await EcdsaCluster.start()
  hostile = await world.corrupt()
})
after(async () => {
  await hostile.close()
  world.cluster.close()
})

/** The hostile node spoils its next message of that kind to node 1 or to all, and behaves from then on. */
function spoil(of: {
  round: number
  kind: Said['kind']
  purpose: string
  /** Which byte; the last unless told. */
  at?: number
}): void {
  hostile.outgoing = (said) => {
    const isIt =
      said.kind === of.kind &&
      said.round === of.round &&
      hostile.manifestOf(said.sid)?.purpose === of.purpose &&
      said.to !== 2
    if (!isIt) return [said]
    hostile.behave()
    const body = said.body.slice()
    body[of.at ?? body.length - 1]! ^= 1
    return [{ ...said, body }]
  }
}

/** The one evidence file that node 1 has kept since. */
function kept(): Uint8Array {
  const { evidence } = world.nodes[0]
  assert.equal(evidence.length, 1)
  return evidence.splice(0)[0]!.file
}

/** The file convicts node 3, of this, in a session of this purpose and, if told, of this wallet. */
function assertConvicts(
  file: Uint8Array,
  purpose: string,
  claim: FaultCode,
  { wallet, protocol = 'cggmp24' }: { wallet?: string; protocol?: string } = {},
): void {
  const verdict = verifyEvidenceFile(file, world.record)
  const { nodeId } = world.nodes[2].identity
  const culprits = [{ party: 3, nodeId }]
  assert.deepEqual(verdict, {
    purpose,
    protocol,
    wallet: wallet ?? verdict.wallet,
    claim,
    culprits,
  })
}

test('a wrong proof of auxiliary information convicts its sender', async () => {
  spoil({ round: 3, kind: 'direct', purpose: 'aux' })
  await assert.rejects(world.createWallet({ threshold: 3 }), { code: 'threshold/invalid-proof' })
  assertConvicts(kept(), 'aux', 'threshold/invalid-proof')
})

test('a wrong share in key generation convicts its dealer', async () => {
  spoil({ round: 2, kind: 'direct', purpose: 'keygen' })
  await assert.rejects(world.createWallet({ threshold: 3 }), { code: 'threshold/invalid-share' })
  assertConvicts(kept(), 'keygen', 'threshold/invalid-share')
})

let row: WalletRow
let signing: Uint8Array
test('a wrong proof in presigning convicts its sender, and a second attempt signs', async () => {
  row = await world.createWallet({ threshold: 3 })
  spoil({ round: 2, kind: 'direct', purpose: 'sign' })
  const made = await world.sign(row, SEPOLIA)
  assert.equal(made.attempts, 2)
  signing = kept()
  assertConvicts(signing, 'sign', 'threshold/invalid-proof', row)
  const { log } = world.nodes[0]
  assert.ok(
    log.some(
      ({ fields }) => fields['code'] === 'threshold/invalid-proof' && fields['culprits'] === '3',
    ),
  )
})

test('two broadcasts for one round convict their signer', async () => {
  hostile.outgoing = (said) => {
    if (said.kind !== 'broadcast' || said.round !== 1) return [said]
    hostile.behave()
    const other = said.body.slice()
    other[other.length - 1]! ^= 1
    const [one, two] = [partyId(1), partyId(2)]
    return [
      { ...said, receivers: [one] },
      { ...said, receivers: [two], body: other },
    ]
  }
  assert.equal((await world.sign(row, SEPOLIA)).attempts, 2)
  assertConvicts(kept(), 'sign', 'threshold/equivocation', row)
})

test('a wrong share in a refresh convicts its dealer', async () => {
  spoil({ round: 2, kind: 'direct', purpose: 'refresh' })
  await assert.rejects(world.refresh(row), { code: 'threshold/invalid-share' })
  assertConvicts(kept(), 'refresh', 'threshold/invalid-share', row)
})

/** The file with other contents. */
const altered = (change: (of: EvidenceCase) => Partial<EvidenceCase>): Uint8Array => {
  const of = decodeEvidenceFile(signing)
  return encodeEvidenceFile({ ...of, ...change(of) })
}

test('no one else is convicted, and nothing else than it says', async () => {
  const [second, third] = [partyId(2), partyId(3)]
  const blame = (culprits: readonly PartyId[]) =>
    altered(({ evidence }) => ({ evidence: { ...evidence, culprits } }))
  assert.throws(() => verifyEvidenceFile(blame([second]), world.record), rejected)
  assert.throws(() => verifyEvidenceFile(blame([second, third]), world.record), rejected)
  assert.throws(
    () =>
      verifyEvidenceFile(
        altered(({ evidence }) => ({ evidence: { ...evidence, claim: 'threshold/equivocation' } })),
        world.record,
      ),
    rejected,
  )
  assert.deepEqual(
    altered(() => ({})),
    signing,
  )
})

test('of another cluster, or with another manifest or epoch, it proves nothing', () => {
  const { record } = world
  const another = { ...record, cluster: new Uint8Array(32) }
  assert.throws(() => verifyEvidenceFile(signing, another), rejected)
  for (const file of [
    altered(({ manifest }) => ({ manifest: { ...manifest, attempt: manifest.attempt + 1 } })),
    altered(({ epochs }) => ({ epochs: epochs.slice(0, 2) })),
    altered(({ epochs }) => ({ epochs: [...epochs.slice(0, 2), forged(epochs[2]!)] })),
  ])
    assert.throws(() => verifyEvidenceFile(file, record), rejected)
})

/** The same epoch record with another signature. */
const forged = (epoch: Uint8Array): Uint8Array =>
  epoch.with(epoch.length - 1, epoch[epoch.length - 1]! ^ 1)

test('with other facts it proves nothing', async () => {
  const { facts } = decodeEvidenceFile(signing)
  const wallet = facts.wallet!
  const record = decodeWallet(wallet.record)
  const made = encodeWallet({ ...record, key: { ...record.key, rid: new Uint8Array(32) } })
  const other = await world.createWallet({ threshold: 3 })
  const { level, keys } = decodeAuxKeys(facts.aux!)
  const swapped = new Map(
    [...keys].map(([party], i, all) => [party, all[(i + 1) % all.length]![1]]),
  )
  const [item] = facts.items!
  for (const [what, changed] of Object.entries({
    'a record that nobody confirmed': { wallet: { ...wallet, record: made } },
    'no receipts': { wallet: { ...wallet, receipts: [] } },
    'the receipts of others': { wallet: { ...wallet, receipts: wallet.receipts.slice(0, 2) } },
    'another wallet': { wallet: { record: other.public, receipts: other.receipts } },
    'other moduli': { aux: encodeAuxKeys(level, swapped) },
    'another digest': { items: [{ ...item!, message: new Uint8Array(32) }] },
    'another path': { items: [{ ...item!, path: [1] }] },
    'more items': { items: [item!, item!] },
  }))
    assert.throws(
      () =>
        verifyEvidenceFile(
          altered(() => ({ facts: { ...facts, ...changed } })),
          world.record,
        ),
      rejected,
      what,
    )
  for (const missing of ['wallet', 'aux', 'items'] as const) {
    const { [missing]: _, ...rest } = facts
    assert.throws(
      () =>
        verifyEvidenceFile(
          altered(() => ({ facts: rest })),
          world.record,
        ),
      rejected,
      missing,
    )
  }
})

test('a file with any byte altered convicts the same node of the same, or proves nothing', () => {
  const verdict = verifyEvidenceFile(signing, world.record)
  const step = Math.ceil(signing.length / 200)
  let refused = 0
  for (let at = 0; at < signing.length; at += step) {
    const file = signing.with(at, signing[at]! ^ 1)
    try {
      // Receipts and broadcasts that the verdict does not rest on may be anything.
      assert.deepEqual(verifyEvidenceFile(file, world.record), verdict, `byte ${at}`)
    } catch (error) {
      if (!isFault(error)) throw error
      refused++
    }
  }
  assert.ok(refused > 100)
})

test('a wrong share of a FROST signature convicts its signer', async () => {
  const { cluster } = world
  const { operator, signer } = cluster.clients
  const [first, second] = world.nodes
  const body = walletBody(cluster, operator, 'solana-devnet')
  const made = await cluster.submit(first, await cluster.request(operator, body))
  assert.ok(made.kind === 'wallet')
  await cluster.settle()
  // Nodes 1 and 3 are left to sign.
  cluster.kill(second)
  // The first byte of the share: a list of a record of the share and its context.
  spoil({ round: 2, kind: 'broadcast', purpose: 'sign', at: 5 })
  const request = await cluster.request(signer, solanaIntent(cluster, signer, made.value))
  // Whoever breaks the protocol is left out for good, and nobody else is there to sign.
  await assert.rejects(cluster.submit(first, request), { code: 'threshold/invalid-share' })
  await cluster.settle()
  const { wallet } = made.value
  assertConvicts(kept(), 'sign', 'threshold/invalid-share', { wallet, protocol: 'frost' })
})
