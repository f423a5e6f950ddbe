import assert from 'node:assert/strict'
import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import type { OperationJson, RequestBody, WalletJson } from '@quorate/api'
import { fromHex } from '@quorate/base'
import { findAdapter } from '@quorate/chains'
import { type EvidenceVerdict, verifyEvidenceFile } from '@quorate/enclave'
import { QUICK_ECDSA, sepoliaTransfer } from '@quorate/enclave/testing'
import { type ProcessWorld, processWorld } from '../support/process-world.ts'
import { until } from '../support/until.ts'

const NETWORK = 'ethereum-sepolia'

let world: ProcessWorld
let wallet: WalletJson
before(async () => {
  world = await processWorld()
  for (const index of [1, 2] as const) {
    const node = world.process(index)
    await world.cluster.kill(node)
    // What is made ahead is not made while a transaction is signed, where the lie below is told.
    node.config = { ...node.config, presignatures: 0 }
    await world.relaunch(index)
  }
})
after(() => world[Symbol.asyncDispose]())

/** What the nodes said of their progress while the operation ran. */
const phases = new Set<string>()
const watch = ({ progress }: OperationJson): void => void (progress && phases.add(progress.phase))

async function createWallet(): Promise<WalletJson> {
  const body = world.cluster.walletBody('solana-devnet', { threshold: 3 }) as Extract<
    RequestBody,
    { kind: 'createWallet' }
  >
  const client = world.cluster.client(world.process(1))
  const { result } = await client.carryOut(
    'createWallet',
    {
      ...body,
      value: { ...body.value, protocol: 'cggmp24', suite: QUICK_ECDSA, network: NETWORK },
    },
    { onProgress: watch },
  )
  assert.ok(result?.kind === 'createWallet')
  return result.wallet
}

async function sign(wei: bigint): Promise<void> {
  const unsigned = sepoliaTransfer(wei)
  const { result } = await world.cluster.sign(wallet, unsigned, world.process(1))
  assert.ok(result?.kind === 'sign')
  const key = { scheme: 'ecdsa-secp256k1', publicKey: fromHex(wallet.groupKey) } as const
  const tx = findAdapter(NETWORK, wallet.suite).parse({ unsigned, context: new Uint8Array(), key })
  assert.deepEqual(tx.verify(fromHex(result.signed)), [])
}

test('three processes make a wallet from primes of their own, and sign', async () => {
  wallet = await createWallet()
  assert.deepEqual([wallet.protocol, wallet.suite], ['cggmp24', QUICK_ECDSA])
  assert.ok(phases.has('making primes'))
  await sign(1n)
})

test('a node that is killed and started again signs with what it has on disk', async () => {
  await world.cluster.kill(world.process(2))
  await world.relaunch(2)
  await sign(2n)
})

test('what convicts a node is kept on disk, for anyone with the cluster record', async () => {
  const { hostile } = world
  hostile.outgoing = (said) => {
    if (said.kind !== 'direct' || said.round !== 2 || said.to !== 1) return [said]
    hostile.behave()
    const body = said.body.slice()
    body[body.length - 1]! ^= 1
    return [{ ...said, body }]
  }
  await sign(3n)
  const directory = join(world.process(1).directory, 'evidence')
  await until(() => Promise.resolve(readdirSync(directory).length === 1))
  const [name] = readdirSync(directory)
  assert.match(name!, /^[0-9a-f]{64}\.cbor$/)
  assert.equal(statSync(join(directory, name!)).mode & 0o777, 0o600)
  const verdict = verifyEvidenceFile(readFileSync(join(directory, name!)), hostile.peers.cluster)
  const { id } = hostile.peers.nodes[2]!
  assert.deepEqual(verdict, {
    purpose: 'sign',
    protocol: 'cggmp24',
    wallet: wallet.id,
    claim: 'threshold/invalid-proof',
    culprits: [{ party: 3, nodeId: id }],
  } satisfies EvidenceVerdict)
  const kept = world
    .process(1)
    .log.map((line) => JSON.parse(line) as { event: string; sid?: string })
  assert.ok(kept.some(({ event, sid }) => event === 'evidence.kept' && `${sid}.cbor` === name))
})
