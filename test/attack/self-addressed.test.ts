import assert from 'node:assert/strict'
import { test } from 'node:test'
import { encodeControl, type HostileNode } from '@quorate/enclave/testing'
import { partyId, sealEnvelope } from '@quorate/threshold'
import { assertNobodyBlamed, assertUnharmed, attack } from '../support/attack.ts'
import { worldWithout } from '../support/without-guard.ts'
import type { World } from '../support/world.ts'

const VICTIM = partyId(1)

/** What node 1 would say to leave a session, in its own name, signed by the attacker. */
function refusalOfItself(hostile: HostileNode, sid: Uint8Array): Uint8Array {
  const fields = {
    cluster: hostile.peers.cluster.cluster,
    epoch: hostile.peers.epochOf(VICTIM).epoch,
    protocol: 'quorate',
    round: 0,
    seq: 0,
    kind: 'control',
    expiresAt: Number.MAX_SAFE_INTEGER,
    to: 'all',
  } as const
  const body = encodeControl({ kind: 'refuse', value: { code: 'enclave/busy' } })
  return sealEnvelope({ ...fields, sid, from: VICTIM, body }, hostile.keys.crypto)
}

const speakToNode1AsItself = ({ hostile }: World): void => {
  hostile.incoming = (heard) => {
    if (heard.control?.kind === 'prepare')
      hostile.inject(VICTIM, refusalOfItself(hostile, heard.header.sid))
    return heard
  }
}

async function assertRefused(world: World): Promise<void> {
  await assertUnharmed(world)
  await world.eventually(() => world.refusals(VICTIM as 1).length > 0)
  assert.deepEqual([...new Set(world.refusals(VICTIM as 1))], ['threshold/self-addressed'])
  assertNobodyBlamed(world)
}

attack({
  'a message in the receiver’s own name': async (world) => {
    speakToNode1AsItself(world)
    await assertRefused(world)
  },
  'the receiver’s own genuine messages, sent back': async (world) => {
    const { hostile } = world
    hostile.incoming = (heard) => {
      if (heard.header.from === VICTIM) hostile.inject(VICTIM, heard.envelope)
      return heard
    }
    await assertRefused(world)
  },
})

test('a node that takes its own words from the bus unsigned can be told by anyone to give up', async () => {
  await using world = await worldWithout(
    {
      file: 'threshold/dist/src/session/envelope.js',
      guard: "from === receiver.self ? refuse('self-addressed')",
      instead: 'from === receiver.self ? new Uint8Array(32)',
    },
    {
      file: 'threshold/dist/src/session/envelope.js',
      guard: 'if (!crypto.verify(key,',
      instead: 'if (key.some(Boolean) && !crypto.verify(key,',
    },
  )
  speakToNode1AsItself(world)
  await assert.rejects(world.createWallet(), { code: 'threshold/refused' })
})
