import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { isFault } from '@quorate/base'
import {
  encodeControl,
  readParcel,
  solanaIntent,
  TestCluster,
  type Wire,
  walletBody,
} from '@quorate/enclave/testing'
import type { WalletRow } from '#src/channel/rows.js'
import { encodeParcel, fitsBeside, provesItself, readAside } from '#src/signer-process/parcel.js'

const envelope = Uint8Array.of(0xa1, 0x01, 0x40)

test('an envelope alone is its own parcel', () => {
  assert.equal(encodeParcel({ envelope, said: [] }), envelope)
  assert.deepEqual(readParcel(envelope), { envelope, said: [] })
})

test('what is said beside an envelope comes out as it went in', () => {
  const said = [new Uint8Array(300).fill(7), new Uint8Array(1)]
  assert.deepEqual(readParcel(encodeParcel({ envelope, said })), { envelope, said })
})

test('what is no parcel is refused: nothing beside, too much beside, bytes after it', () => {
  const many = Array.from({ length: 5 }, () => new Uint8Array(1))
  assert.equal(fitsBeside(envelope, many), false)
  assert.equal(fitsBeside(envelope, [new Uint8Array(1 << 19)]), false)
  const whole = encodeParcel({ envelope, said: [new Uint8Array(1)] })
  for (const bytes of [
    Uint8Array.of(0x80),
    Uint8Array.of(0x81, 0x40),
    Uint8Array.of(0x86, 0x40, 0x40, 0x40, 0x40, 0x40, 0x40),
    Uint8Array.of(...whole, 0),
    whole.subarray(0, -1),
  ])
    assert.throws(
      () => readParcel(bytes),
      (error) => isFault(error),
    )
})

test('only what proves itself may go without a signature', () => {
  const receipt = { kind: 'receipt', value: { receipt: new Uint8Array(10) } } as const
  const prepare = { manifest: new Uint8Array(1), request: new Uint8Array(1) }
  assert.ok(provesItself(receipt))
  assert.deepEqual(readAside(encodeControl(receipt)), receipt)
  assert.ok(provesItself({ kind: 'prepare', value: prepare }))
  const countersignature = new Uint8Array(64)
  assert.ok(!provesItself({ kind: 'prepare', value: { ...prepare, countersignature } }))
  assert.equal(
    readAside(encodeControl({ kind: 'refuse', value: { code: 'enclave/busy' } })),
    undefined,
  )
  assert.equal(readAside(encodeControl({ kind: 'heartbeat', value: { time: 1 } })), undefined)
})

let cluster: TestCluster
let row: WalletRow

before(async () => {
  cluster = await TestCluster.start(3, { nonces: 8, presignatures: 0 })
  const { operator } = cluster.clients
  const body = walletBody(cluster, operator, 'solana-devnet', { threshold: 2 })
  const outcome = await cluster.submit(cluster.nodes[0]!, await cluster.request(operator, body))
  assert.ok(outcome.kind === 'wallet')
  row = outcome.value
  await sign()
  await cluster.settle()
})
after(() => cluster.close())

/** Signs at the first node; the number of attempts it took. */
async function sign(): Promise<number> {
  const { signer } = cluster.clients
  const request = await cluster.request(signer, solanaIntent(cluster, signer, row))
  const outcome = await cluster.submit(cluster.nodes[0]!, request)
  assert.ok(outcome.kind === 'transaction')
  assert.equal(outcome.value.receipts.length, 2)
  return outcome.value.attempts
}

/** Changes what goes beside envelopes on its way. */
async function signWith(
  change: (said: readonly Uint8Array[], wire: Wire) => readonly Uint8Array[],
) {
  let changed = 0
  cluster.tamper = (wire) => {
    const parcel = readParcel(wire.envelope)
    if (parcel.said.length === 0) return [wire]
    changed++
    const said = change(parcel.said, wire)
    return [{ ...wire, envelope: encodeParcel({ envelope: parcel.envelope, said }) }]
  }
  const attempts = await sign()
  cluster.tamper = (wire) => [wire]
  await cluster.settle()
  return { attempts, changed }
}

test('a proposal and a receipt ride on the shares', async () => {
  assert.deepEqual(await signWith((said) => said), { attempts: 1, changed: 2 })
})

test('what the network adds beside an envelope is not heard', async () => {
  const refusal = encodeControl({ kind: 'refuse', value: { code: 'enclave/busy' } })
  const added = await signWith((said) => [...said, refusal])
  assert.equal(added.attempts, 1)
})

test('the proposal of one session does not count beside the share of another', async () => {
  let first: readonly Uint8Array[] | undefined
  await signWith((said, { from }) => {
    if (from === 1) first ??= said
    return said
  })
  const { attempts } = await signWith((said, { from }) => (from === 1 ? first! : said))
  assert.ok(attempts > 1)
})

test('a receipt that was changed or lost on its way counts as none, and another session brings one', async () => {
  for (const change of [
    (said: readonly Uint8Array[]) =>
      said.map((each) => each.map((byte, i) => (i === 80 ? byte ^ 1 : byte))),
    () => [],
  ]) {
    let isDone = false
    await signWith((said, { to }) => {
      if (to !== 1 || isDone) return said
      isDone = true
      return change(said)
    })
    assert.ok(isDone)
  }
})
