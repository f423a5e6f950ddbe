import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { Fault, type FaultCode, isFault, toHex } from '@quorate/base'
import { addressProof, findAdapter, type KeyRef, proveAddress } from '@quorate/chains'
import { readShare, segwitSpend, sepoliaTransfer, type TestNode } from '@quorate/enclave/testing'
import { deriveChild, mod, secp256k1 } from '@quorate/math'
import { systemRandom } from '@quorate/platform'
import { decodeAuxKeys } from '@quorate/threshold'
import type { Change, WalletRow } from '#src/channel/rows.js'
import { readReceipt } from '#src/signer-process/receipts.js'
import { confirmedBy } from '#src/wallet-record.js'
import { auxOf, EcdsaCluster, keyOf } from './ecdsa-cluster.js'

const SEPOLIA = 'ethereum-sepolia'
const TESTNET = 'bitcoin-testnet4'
const isCode = (code: FaultCode) => (error: unknown) => isFault(error, code)

let world: EcdsaCluster
let row: WalletRow
before(async () => {
  world = await EcdsaCluster.start()
  row = await world.createWallet()
})
after(() => world.cluster.close())

function keyAt(of: WalletRow, path: readonly number[]): KeyRef {
  const { groupKey, chainCode } = keyOf(of)
  const { publicKey } = deriveChild(secp256k1.decode(groupKey), chainCode!, path)
  return { scheme: 'ecdsa-secp256k1', publicKey: secp256k1.encode(publicKey) }
}

/** Signs, and has the network's own rules say whether it was the transaction of the key at `path`. */
async function signs(
  of: WalletRow,
  network: string,
  unsigned: Uint8Array,
  o: { path?: readonly number[]; at?: TestNode } = {},
): Promise<void> {
  const { path = [], at } = o
  const made = await world.sign(of, { network, unsigned, path }, at)
  const key = keyAt(of, path)
  const tx = findAdapter(network, keyOf(of).suite).parse({
    unsigned,
    context: new Uint8Array(),
    key,
  })
  assert.deepEqual(tx.verify(made.signed), [])
  assert.equal(made.receipts.length, 2)
  assert.equal(made.attempts, 1)
}

const activeRow = (node: TestNode, of: WalletRow): WalletRow =>
  [...node.disk.rows.values()].find(({ wallet }) => wallet === of.wallet)!

test('all nodes hold the wallet, its auxiliary information, and the proof of its address', () => {
  const key = keyOf(row)
  assert.equal(key.protocol, 'cggmp24')
  for (const node of world.nodes) {
    const own = activeRow(node, row)
    assert.deepEqual(own.public, row.public)
    assert.equal(own.state, 'active')
    assert.ok(node.disk.aux.has(auxOf(row)))
    assert.notEqual(own.proof, null)
  }
  const { address, item } = addressProof(SEPOLIA, keyAt(row, []))
  proveAddress(SEPOLIA, address, item.message, row.proof!)
})

test('the receipts of all nodes confirm the whole public record of the key', () => {
  const key = keyOf(row)
  const other = systemRandom.bytes(32)
  const confirmed = confirmedBy(key)
  for (const altered of [{ aux: other }, { chainCode: other }, { rid: other }])
    assert.notDeepEqual(confirmedBy({ ...key, ...altered }), confirmed)
  const receipts = row.receipts.map((each) => readReceipt(each, world.record))
  assert.deepEqual(
    receipts.map(({ party, receipt }) => [party, receipt.result]),
    [1, 2, 3].map((party) => [party, confirmed]),
  )
})

test('any node leads the signing of an EIP-1559 transaction', async () => {
  for (const [i, at] of world.nodes.entries())
    await signs(row, SEPOLIA, sepoliaTransfer(BigInt(i + 1)), { at })
})

test('keys derived from the wallet sign, on every network of its suite', async () => {
  const path = [0, 5]
  await signs(row, SEPOLIA, sepoliaTransfer(9n), { path })
  const { publicKey } = keyAt(row, path)
  await signs(row, TESTNET, segwitSpend(publicKey, 2), { path })
  // Coins of the derived key are not the wallet's own.
  await assert.rejects(signs(row, TESTNET, segwitSpend(publicKey, 1)))
})

test('a policy view of a derived key is of its own address', () => {
  const path = [0, 5]
  const { address } = addressProof(SEPOLIA, keyAt(row, path))
  const { json } = world.nodes[0].signer.explain({
    wallet: row.wallet,
    client: world.cluster.clients.signer.id,
    network: SEPOLIA,
    unsigned: sepoliaTransfer(9n),
    context: new Uint8Array(),
    path,
  })
  assert.ok(json.includes(address))
})

test('a restarted node signs with the rows of its store', async () => {
  const [first, second, third] = world.nodes
  world.cluster.kill(second)
  world.cluster.kill(third)
  await world.restart(second)
  await signs(row, SEPOLIA, sepoliaTransfer(10n), { at: first })
  await world.restart(third)
})

test('a second wallet shares the auxiliary information, and uses up no primes', async () => {
  const made = world.nodes.map(({ primesMade: { count } }) => count)
  const second = await world.createWallet({ at: world.nodes[1] })
  assert.equal(auxOf(second), auxOf(row))
  assert.notDeepEqual(keyOf(second).groupKey, keyOf(row).groupKey)
  assert.deepEqual(
    world.nodes.map(({ primesMade: { count } }) => count),
    made,
  )
})

test('a refresh comes with new auxiliary information, and what was before is worth nothing', async () => {
  const solo = await EcdsaCluster.start()
  const old = await solo.createWallet()
  const oldShares = await sharesOf(solo, old)
  const fresh = await solo.refresh(old, solo.nodes[2])
  assert.equal(fresh.generation, 2)
  assert.deepEqual(keyOf(fresh).groupKey, keyOf(old).groupKey)
  assert.deepEqual(keyOf(fresh).chainCode, keyOf(old).chainCode)
  assert.deepEqual(fresh.proof, old.proof)
  assert.notEqual(auxOf(fresh), auxOf(old))
  for (const { disk } of solo.nodes) {
    assert.deepEqual([...disk.aux.keys()], [auxOf(fresh)])
    assert.deepEqual(
      [...disk.rows.values()].map(({ generation, state }) => ({ generation, state })),
      [{ generation: 2, state: 'active' }],
    )
  }
  const newShares = await sharesOf(solo, fresh)
  const { groupKey } = keyOf(old)
  const [two, one] = [2n, -1n]
  const combined = (a: Uint8Array, b: Uint8Array): Uint8Array =>
    secp256k1.encode(
      secp256k1.mulBase(
        mod(two * secp256k1.decodeScalar(a) + one * secp256k1.decodeScalar(b), secp256k1.order),
      ),
    )
  // Lagrange coefficients of parties 1 and 2 at 0 are 2 and −1.
  assert.deepEqual(combined(newShares[0]!, newShares[1]!), groupKey)
  assert.notDeepEqual(combined(oldShares[0]!, newShares[1]!), groupKey)
  assert.notDeepEqual(combined(newShares[0]!, oldShares[1]!), groupKey)
  const made = await solo.sign(fresh, { network: SEPOLIA, unsigned: sepoliaTransfer(1n) })
  assert.equal(made.receipts.length, 2)
  solo.cluster.close()
})

const sharesOf = (of: EcdsaCluster, wallet: WalletRow): Promise<Uint8Array[]> =>
  Promise.all(
    of.nodes.map((node) =>
      readShare(
        {
          hsmDirectory: node.directory,
          storeId: node.disk.storeId,
          sealedSecrets: node.disk.secrets!,
          row: activeRow(node, wallet),
          self: node.index,
        },
        systemRandom,
      ),
    ),
  )

test('auxiliary information stays for as long as any wallet signs with it', async () => {
  const shared = auxOf(row)
  row = await world.refresh(row)
  assert.notEqual(auxOf(row), shared)
  for (const { disk } of world.nodes)
    assert.deepEqual(new Set(disk.aux.keys()), new Set([shared, auxOf(row)]))
})

test('a node that holds no such auxiliary information takes no part, and all make it anew', async () => {
  const solo = await EcdsaCluster.start()
  const [first, second] = solo.nodes
  const before = await solo.createWallet({ at: first })
  solo.cluster.kill(second)
  second.disk.aux.clear()
  await solo.restart(second)
  const after = await solo.createWallet({ at: first })
  assert.notEqual(auxOf(after), auxOf(before))
  assert.ok(second.log.some(({ fields }) => fields['code'] === 'enclave/unknown-aux'))
  assert.ok(second.disk.aux.has(auxOf(after)))
  solo.cluster.close()
})

test('primes leave the store as their session is burnt, and are used once', async () => {
  const solo = await EcdsaCluster.start()
  const [first] = solo.nodes
  const persisted: (readonly Change[])[] = []
  first.beforePersist = (changes) => void persisted.push(changes)
  const old = await solo.createWallet()
  // Made on demand at first, and one set ahead since.
  assert.equal(first.primesMade.count, 2)
  const [ahead] = first.disk.primes.values()
  assert.ok(first.phases.includes('making primes'))
  first.phases.length = 0
  const fresh = await solo.refresh(old)
  assert.ok(!first.phases.includes('making primes'))
  const taking = persisted.findIndex((changes) => changes.some(({ kind }) => kind === 'takePrimes'))
  assert.deepEqual(
    persisted[taking]!.map(({ kind }) => kind),
    ['burn', 'putRequest', 'takePrimes'],
  )
  const puttingAux = persisted.findLastIndex((changes) =>
    changes.some(({ kind }) => kind === 'putAux'),
  )
  assert.ok(taking < puttingAux)
  assert.ok(!first.disk.primes.has(toHex(ahead!.id)))
  const rows = persisted
    .flat()
    .flatMap((change) => (change.kind === 'putAux' ? [change.value] : []))
  assert.deepEqual(
    rows.map(({ digest }) => toHex(digest)),
    [auxOf(old), auxOf(fresh)],
  )
  const moduli = rows.flatMap(({ public: encoded }) =>
    [...decodeAuxKeys(encoded).keys.values()].flatMap(({ paillier, parameters }) => [
      paillier.n,
      parameters.n,
    ]),
  )
  assert.equal(new Set(moduli).size, 2 * 3 * 2)
  solo.cluster.close()
})

test('a node killed between burning a session and beginning it loses the primes and nothing else', async () => {
  const solo = await EcdsaCluster.start()
  const [first, second] = solo.nodes
  const wallet = await solo.createWallet()
  assert.equal(second.disk.primes.size, 1)
  second.beforePersist = (changes) => {
    if (!changes.some(({ kind }) => kind === 'takePrimes')) return
    for (const change of changes) second.apply(change)
    solo.cluster.kill(second)
  }
  await assert.rejects(solo.refresh(wallet, first))
  assert.equal(second.disk.primes.size, 0)
  second.beforePersist = () => undefined
  await solo.restart(second)
  // What was there still signs, the refill is under way, and the next refresh succeeds.
  assert.equal(second.disk.primes.size, 1)
  const fresh = await solo.refresh(wallet, first)
  assert.equal(fresh.generation, 2)
  solo.cluster.close()
})

test('primes that cannot be taken out of the store begin no session', async () => {
  const solo = await EcdsaCluster.start()
  const wallet = await solo.createWallet()
  const [first] = solo.nodes
  first.beforePersist = (changes) => {
    if (changes.some(({ kind }) => kind === 'takePrimes')) throw new Fault('platform/disk-full')
  }
  await assert.rejects(solo.refresh(wallet), isCode('platform/disk-full'))
  assert.equal(activeRow(first, wallet).generation, 1)
  solo.cluster.close()
})
