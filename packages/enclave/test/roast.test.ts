import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { decodeCbor, isFault } from '@quorate/base'
import {
  decodeControl,
  solanaIntent,
  TestCluster,
  type Wire,
  walletBody,
} from '@quorate/enclave/testing'
import type { WalletRow } from '#src/channel/rows.js'
import { signed } from './treasury.ts'

const [NODES, THRESHOLD] = [5, 3]

/** What a node that stalls keeps back: everything it says from that step of a session on. */
const STEPS = [
  'countersignature',
  'round 1',
  'echo of round 1',
  'round 2',
  'echo of round 2',
  'receipt',
] as const
type Step = (typeof STEPS)[number]
const LIMITS = { maxBytes: 1 << 21 }

describe('three of five sign, whichever two of the others stall, at whichever step', () => {
  let cluster: TestCluster
  let row: WalletRow
  before(async () => {
    cluster = await TestCluster.start(NODES)
    const { operator } = cluster.clients
    const body = walletBody(cluster, operator, 'solana-devnet', { threshold: THRESHOLD })
    const outcome = await cluster.submit(cluster.nodes[0]!, await cluster.request(operator, body))
    if (outcome.kind !== 'wallet') throw new Error('no wallet')
    row = outcome.value
    await cluster.settle()
  })
  after(() => cluster.close())

  const stalling =
    (stalls: ReadonlyMap<number, Step>) =>
    (wire: Wire): readonly Wire[] => {
      const step = stalls.get(wire.from)
      return step !== undefined && isFrom(step, wire.envelope) ? [] : [wire]
    }

  for (const first of STEPS)
    for (const second of STEPS)
      test(`${first} and ${second}`, async () => {
        const { signer } = cluster.clients
        for (const at of [1, 4]) {
          const others = [1, 2, 3, 4, 5].filter((index) => index !== at)
          // Each pair once would take minutes; over the steps all of them come.
          const a = others[(STEPS.indexOf(first) + at) % 4]!
          const b = others.filter((index) => index !== a)[STEPS.indexOf(second) % 3]!
          cluster.tamper = stalling(
            new Map([
              [a, first],
              [b, second],
            ]),
          )
          const request = await cluster.request(signer, solanaIntent(cluster, signer, row))
          const value = signed(await cluster.submit(cluster.nodes[at - 1]!, request))
          // Who keeps back nothing but its receipt has signed. Another confirms in its place, and nothing is
          // signed twice.
          const silent = [a, ...(second === 'receipt' ? [] : [b])].slice(
            first === 'receipt' ? 1 : 0,
          )
          assert.ok(value.signers.every((index) => !silent.includes(index)))
          assert.equal(value.receipts.length, THRESHOLD)
          assert.ok(value.attempts <= NODES - THRESHOLD + 1)
          cluster.tamper = (wire) => [wire]
          await cluster.settle()
          // Whoever asks elsewhere is told the same.
          const elsewhere = await cluster.submit(cluster.nodes[at % NODES]!, request)
          assert.deepEqual(signed(elsewhere).signed, value.signed)
        }
      })

  test('with one more that stalls nobody signs, and nobody is blamed', async () => {
    const { signer } = cluster.clients
    const stalls = new Map<number, Step>([2, 3, 4].map((index) => [index, 'round 2']))
    cluster.tamper = stalling(stalls)
    for (const { log } of cluster.nodes) log.length = 0
    const request = await cluster.request(signer, solanaIntent(cluster, signer, row))
    await assert.rejects(
      cluster.submit(cluster.nodes[0]!, request),
      (error) => isFault(error, 'threshold/timeout') || isFault(error, 'enclave/peers-missing'),
    )
    cluster.tamper = (wire) => [wire]
    const blamed = cluster.nodes.flatMap(({ log }) =>
      log.filter(({ event, fields }) => event === 'session.failed' && fields['culprits'] !== ''),
    )
    assert.deepEqual(blamed, [])
  })
})

/** Whether the envelope says something of that step of a session, or of a later one. */
function isFrom(step: Step, envelope: Uint8Array): boolean {
  const at = STEPS.indexOf(step)
  const said = stepOf(envelope)
  return said !== undefined && said >= at
}

function stepOf(envelope: Uint8Array): number | undefined {
  const outer = decodeCbor(envelope, LIMITS) as ReadonlyMap<number, Uint8Array>
  const header = decodeCbor(outer.get(1)!, LIMITS) as ReadonlyMap<number, unknown>
  const [round, to, kind] = [header.get(6) as number, header.get(8), header.get(10)]
  if (kind === 'broadcast') return STEPS.indexOf(round === 1 ? 'round 1' : 'round 2')
  if (kind === 'echo') return STEPS.indexOf(round === 1 ? 'echo of round 1' : 'echo of round 2')
  if (kind !== 'control' || to !== 0) return undefined
  const control = decodeControl(outer.get(3)!).kind
  if (control === 'ready') return STEPS.indexOf('countersignature')
  return control === 'receipt' ? STEPS.indexOf('receipt') : undefined
}
