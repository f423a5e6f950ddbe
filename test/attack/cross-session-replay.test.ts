import assert from 'node:assert/strict'
import { test } from 'node:test'
import { equalBytes } from '@quorate/base'
import type { Heard } from '@quorate/enclave/testing'
import { partyId, sessionId } from '@quorate/threshold'
import {
  assertKeygenConvicts,
  assertNobodyBlamed,
  assertUnharmed,
  attack,
} from '../support/attack.ts'
import { type Dealing, dealFalsely, readDealing } from '../support/dealings.ts'
import { tell } from '../support/lies.ts'
import { type MemoryWorld, memoryWorld } from '../support/memory-world.ts'
import { signProposal } from '../support/proposals.ts'
import { worldWithout } from '../support/without-guard.ts'
import { HONEST, type World } from '../support/world.ts'

const isPrepareOf =
  (purpose: string, { hostile }: World) =>
  ({ control, header }: Heard): boolean =>
    control?.kind === 'prepare' && hostile.manifestOf(header.sid)?.purpose === purpose

/** How often node 2 has countersigned the session. */
const readyOf = ({ hostile }: World, sid: Uint8Array): number =>
  hostile.heard.filter(
    ({ header, control }) =>
      header.from === 2 && control?.kind === 'ready' && equalBytes(header.sid, sid),
  ).length

/** A signing of all three, after which node 1's proposal of it comes to node 2 once more. */
async function replayProposal(world: World): Promise<Uint8Array> {
  const wallet = await world.createWallet({ threshold: 3 })
  await world.sign(wallet)
  const proposal = world.hostile.heard.findLast(isPrepareOf('sign', world))!
  world.hostile.inject(partyId(2), proposal.envelope)
  return proposal.header.sid
}

/** While nodes make a wallet, node 1 gets what node 2 said when they made another. */
async function replayRounds(world: World): Promise<void> {
  const { hostile } = world
  await world.createWallet()
  const said = hostile.heard.filter(
    ({ header }) => header.from === 2 && header.kind === 'broadcast',
  )
  hostile.incoming = (heard) => {
    if (isPrepareOf('keygen', world)(heard))
      for (const { envelope } of said) hostile.inject(partyId(1), envelope)
    return heard
  }
}

/** Node 3 deals once more what it dealt when another wallet was made. */
async function replayDealing({ hostile, createWallet, eventually, wallets }: World): Promise<void> {
  let first: Dealing | undefined
  tell(hostile, {
    purpose: 'keygen',
    round: 1,
    say({ own }) {
      first = readDealing(own)
      return own
    },
  })
  const { wallet } = await createWallet()
  for (const node of HONEST) await eventually(async () => (await wallets(node)).includes(wallet))
  tell(hostile, ...dealFalsely(hostile, () => first!))
}

attack({
  'the proposal of a session that has been': async (world) => {
    const sid = await replayProposal(world)
    await world.eventually(() => world.refusals(2).length > 0)
    assert.deepEqual(world.refusals(2), ['enclave/burnt-session'])
    assert.equal(readyOf(world, sid), 1)
  },
  'rounds of another session, signed by an honest node': async (world) => {
    await replayRounds(world)
    await assertUnharmed(world)
    assertNobodyBlamed(world)
  },
  'its own dealing of another session': async (world) => {
    await replayDealing(world)
    await assertKeygenConvicts(world, 'threshold/invalid-proof')
  },
})

/** One proposal comes to node 2 twice, before it has taken it up. Returns how often it countersigns. */
async function proposeTwiceAtOnce(world: MemoryWorld): Promise<number> {
  const { hostile, cluster } = world
  const wallet = await world.createWallet({ threshold: 3 })
  const { manifest, request } = signProposal(hostile, await world.request(world.signBody(wallet)))
  hostile.propose(manifest, request, { to: [partyId(2)] })
  const { envelope } = cluster.wires.pop()!
  const { signer } = cluster.nodes[1]!
  await Promise.all([signer.deliver({ envelope }), signer.deliver({ envelope })])
  await cluster.settle()
  return readyOf(world, sessionId(manifest))
}

test('a proposal that comes twice at once is taken up once', async () => {
  await using world = await memoryWorld()
  assert.equal(await proposeTwiceAtOnce(world), 1)
  assert.deepEqual(world.refusals(2), ['enclave/burnt-session'])
})

test('with a look at the burnt sessions only before the request is judged, it is taken up twice', async () => {
  await using world = await worldWithout({
    file: 'enclave/dist/src/signer-process/sessions.js',
    guard: 'burnt.refuse(sid);\n        const held',
    instead: 'const held',
  })
  assert.equal(await proposeTwiceAtOnce(world), 2)
})

test('without the list of burnt sessions a node takes part in the same session again', async () => {
  await using world = await worldWithout({
    file: 'enclave/dist/src/signer-process/burnt-sessions.js',
    guard: 'if (this.#until.has(toHex(sid)))',
    instead: 'if (false)',
  })
  // One that came to nothing: what has been signed is not signed again, whatever the session.
  const wallet = await world.createWallet({ threshold: 3 })
  const { manifest, request } = signProposal(
    world.hostile,
    await world.request(world.signBody(wallet)),
  )
  const propose = (): void => world.hostile.propose(manifest, request, { to: [partyId(2)] })
  const sid = sessionId(manifest)
  propose()
  await world.eventually(() => world.verdicts(2).length > 0)
  assert.equal(readyOf(world, sid), 1)
  propose()
  await world.eventually(() => readyOf(world, sid) === 2)
})

test('without sessions kept apart by their ids an honest node is blamed for what it said elsewhere', async () => {
  await using world = await worldWithout({
    file: 'enclave/dist/src/signer-process/sessions.js',
    guard: 'receive(sid, message) {\n        const session = this.find(sid);',
    instead: 'receive(sid, message) {\n        const session = [...this.#live.values()].at(-1);',
  })
  await replayRounds(world)
  await assert.rejects(world.createWallet())
  assert.deepEqual(world.verdicts(1).at(-1)!.culprits, [2])
})

test('without the session id in its proof an old dealing passes', async () => {
  await using world = await worldWithout({
    file: 'threshold/dist/src/frost/keygen/accusation.js',
    guard: ".bytes('session', sid)",
    instead: '',
  })
  await replayDealing(world)
  const before = world.rows(1).length
  await world.createWallet().catch(() => undefined)
  assert.equal(world.rows(1).length, before + 1)
})
