import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Manifest, partyId } from '@quorate/threshold'
import { assertUnharmed, attack } from '../support/attack.ts'
import { readDealing } from '../support/dealings.ts'
import { memoryWorld } from '../support/memory-world.ts'
import { altered, keygenProposal, signersOf } from '../support/proposals.ts'
import { worldWithout } from '../support/without-guard.ts'
import { HONEST, type World } from '../support/world.ts'

/** Proposes a session for a client's honest request, with something changed in the manifest. */
async function propose(
  world: World,
  lie: Partial<Manifest>,
  o: { sid?: Uint8Array } = {},
): Promise<void> {
  const { hostile } = world
  const { manifest, request } = keygenProposal(hostile, await world.request(world.walletBody()))
  hostile.propose({ ...manifest, ...lie }, request, o)
}

async function assertRefused(world: World, code: string): Promise<void> {
  for (const node of HONEST) {
    await world.eventually(() => world.refusals(node).length > 0)
    assert.deepEqual(world.refusals(node), [code])
    assert.deepEqual(world.verdicts(node), [])
  }
}

const lies: readonly (readonly [string, string, (world: World) => Partial<Manifest>])[] = [
  ['a lower threshold than the client asked for', 'enclave/bad-prepare', () => ({ threshold: 1 })],
  ['a higher threshold', 'enclave/bad-prepare', () => ({ threshold: 3 })],
  ['another curve', 'enclave/bad-prepare', () => ({ suite: 'FROST-secp256k1-SHA256-TR-v1' })],
  ['another protocol', 'enclave/bad-prepare', () => ({ protocol: 'cggmp24' })],
  ['another policy', 'enclave/bad-prepare', () => ({ policyHash: new Uint8Array(32) })],
  [
    'another request than the one shown',
    'enclave/bad-prepare',
    () => ({ request: new Uint8Array(32) }),
  ],
  ['another node as coordinator', 'enclave/bad-prepare', () => ({ coordinator: partyId(1) })],
  ['a protocol version that nobody announced', 'enclave/bad-prepare', () => ({ minVersion: 7 })],
  ['another purpose', 'enclave/unknown-wallet', () => ({ purpose: 'sign' })],
  ['another cluster', 'threshold/wrong-cluster', () => ({ cluster: new Uint8Array(32) })],
  ['a session that expired', 'threshold/expired', () => ({ createdAt: 1, expiresAt: 2 })],
  [
    'signers of an earlier start',
    'enclave/stale-manifest',
    ({ hostile }) => ({
      signers: signersOf(hostile, [1, 2, 3]).map((each) => ({
        ...each,
        bootId: new Uint8Array(16),
      })),
    }),
  ],
]

attack({
  ...Object.fromEntries(
    lies.map(([what, code, lie]) => [
      what,
      async (world: World) => {
        await propose(world, lie(world))
        await assertRefused(world, code)
      },
    ]),
  ),
  'a session id that is not the manifest’s': async (world) => {
    await propose(world, {}, { sid: new Uint8Array(32) })
    await assertRefused(world, 'threshold/ssid-mismatch')
  },
  'a request that the client did not sign': async (world) => {
    const { hostile } = world
    const request = altered(await world.request(world.walletBody()), {
      label: 'not-what-was-signed',
    })
    const { manifest, request: bytes } = keygenProposal(hostile, request)
    hostile.propose(manifest, bytes)
    await assertRefused(world, 'auth/unauthenticated')
  },
})

test('another manifest to each node: neither session begins, and no honest node is blamed', async () => {
  await using world = await memoryWorld()
  const { hostile } = world
  const { manifest, request } = keygenProposal(hostile, await world.request(world.walletBody()))
  for (const node of HONEST)
    hostile.propose({ ...manifest, attempt: node }, request, { to: [partyId(node)] })
  for (const node of HONEST) {
    await world.eventually(() => world.verdicts(node).length > 0)
    assert.deepEqual(world.verdicts(node), [{ code: 'threshold/timeout', culprits: [] }])
  }
  await assertUnharmed(world)
})

test('without the comparison with the request a coordinator makes every single share the whole key', async () => {
  await using world = await worldWithout({
    file: 'enclave/dist/src/signer-process/judge.js',
    guard: 'fits(manifest.threshold === request.threshold);',
    instead: '',
  })
  await propose(world, { threshold: 1 })
  const dealings = () =>
    world.hostile.heard.filter(({ header }) => header.kind === 'broadcast' && header.round === 1)
  await world.eventually(() => dealings().length === 2)
  assert.deepEqual(
    dealings().map(({ body }) => readDealing(body).commitment.length),
    [1, 1],
  )
})
