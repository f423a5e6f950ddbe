import assert from 'node:assert/strict'
import { test } from 'node:test'
import { array, bytes, concatBytes, decode, encode, equalBytes, isFault } from '@quorate/base'
import { verifyEd25519 } from '@quorate/enclave'
import type { HostileNode } from '@quorate/enclave/testing'
import { ed25519 as group } from '@quorate/math'
import { systemRandom } from '@quorate/platform'
import {
  Abort,
  beginKeygen,
  dkgParameters,
  dkgSuite,
  type Manifest,
  partiesOf,
  partyId,
  sessionId,
  verifyEvidence,
} from '@quorate/threshold'
import { assertConvicted, assertKeygenConvicts, attack } from '../support/attack.ts'
import { type Dealing, dealFalsely, readDealing } from '../support/dealings.ts'
import { tell } from '../support/lies.ts'
import { memoryWorld } from '../support/memory-world.ts'
import { worldWithout } from '../support/without-guard.ts'
import type { World } from '../support/world.ts'

/** A second dealing, as right as the first. */
function anotherDealing(hostile: HostileNode, manifest: Manifest): Dealing {
  const suite = dkgSuite(manifest.suite)
  const hostKeys = partiesOf(manifest).map((party) => hostile.peers.epochOf(party).dkgKeys.ed25519)
  const params = dkgParameters({ suite, threshold: manifest.threshold, hostKeys })
  const hostSecret = hostile.hostSecret(manifest.suite)
  const { send } = beginKeygen({
    params,
    sid: sessionId(manifest),
    hostSecret,
    random: systemRandom,
  })
  return readDealing(send[0]!.body)
}

const dealsTwice = ({ hostile }: World) =>
  tell(
    hostile,
    ...dealFalsely(hostile, (own, _, manifest) => {
      const other = anotherDealing(hostile, manifest)
      return new Map([
        [partyId(1), own],
        [partyId(2), other],
      ])
    }),
  )

const commitsTwice = ({ hostile }: World) =>
  tell(hostile, {
    purpose: 'sign',
    round: 1,
    say({ own }) {
      const commitments = array(bytes(64), { max: 16 })
      const element = (): Uint8Array =>
        group.encode(group.mulBase(group.randomScalar(systemRandom)))
      const others = decode(commitments, own, { maxBytes: 4096 }).map(() =>
        concatBytes(element(), element()),
      )
      return new Map([
        [partyId(1), own],
        [partyId(2), encode(commitments, others)],
      ])
    },
  })

attack({
  'two dealings, each right by itself: the two signed messages convict their signer': async (
    world,
  ) => {
    dealsTwice(world)
    await assertKeygenConvicts(world, 'threshold/equivocation')
  },
  'two commitments to nonces': async (world) => {
    const wallet = await world.createWallet({ threshold: 3 })
    commitsTwice(world)
    await assert.rejects(world.sign(wallet), { code: 'threshold/equivocation' })
    for (const node of [1, 2] as const) {
      await world.eventually(() => world.verdicts(node).length > 0)
      for (const verdict of world.verdicts(node))
        assert.deepEqual(verdict, { code: 'threshold/equivocation', culprits: [3] })
    }
  },
})

test('the evidence convinces whoever has the epoch keys', async () => {
  await using world = await memoryWorld()
  dealsTwice(world)
  const abort = await world.createWallet().then(
    () => assert.fail('no abort'),
    (error: unknown) => error,
  )
  assert.ok(isFault(abort) && abort instanceof Abort)
  const { peers } = world.hostile
  const verifier = {
    cluster: peers.cluster.cluster,
    verify: verifyEd25519,
    epochKey(from: Parameters<typeof peers.epochOf>[0], epoch: Uint8Array) {
      const record = peers.epochOf(from)
      return equalBytes(record.epoch, epoch) ? record.envelopeKey : undefined
    },
  }
  assert.deepEqual(verifyEvidence(abort.evidence!, verifier), [3])
  await assertConvicted(world, 'threshold/equivocation')
})

test('without the echo check honest nodes blame each other', async () => {
  await using world = await worldWithout({
    file: 'threshold/dist/src/session/session.js',
    guard: 'if (round.broadcast === undefined || round.needsNoEcho === true || isAgreed)',
    instead: 'if (true)',
  })
  dealsTwice(world)
  await assert.rejects(world.createWallet(), { code: 'threshold/invalid-certificate' })
  assert.deepEqual(
    world.verdicts(1).map(({ culprits }) => culprits),
    [[2]],
  )
  assert.deepEqual(
    world.verdicts(2).map(({ culprits }) => culprits),
    [[1]],
  )
})
