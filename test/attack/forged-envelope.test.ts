import assert from 'node:assert/strict'
import { test } from 'node:test'
import { bytes, decode, encode, field, optional, record, utf8 } from '@quorate/base'
import type { Heard, HostileNode } from '@quorate/enclave/testing'
import { partyId, sealEnvelope } from '@quorate/threshold'
import { assertNobodyBlamed, assertUnharmed, attack } from '../support/attack.ts'
import { worldWithout } from '../support/without-guard.ts'
import type { World } from '../support/world.ts'

/** A first-round broadcast in node 2's name, signed by the attacker's own key. */
function forge(hostile: HostileNode, sid: Uint8Array, epoch: Uint8Array): Uint8Array {
  const fields = {
    cluster: hostile.peers.cluster.cluster,
    protocol: 'frost',
    round: 1,
    seq: 0,
    kind: 'broadcast',
    expiresAt: Number.MAX_SAFE_INTEGER,
    to: 'all',
  } as const
  const body = utf8('not what node 2 would say')
  return sealEnvelope({ ...fields, sid, epoch, from: partyId(2), body }, hostile.keys.crypto)
}

/** What the attack that runs has injected. */
let injected = 0

/** Injects to node 1 what `forgery` makes of messages that it makes something of. */
function injectOn({ hostile }: World, forgery: (heard: Heard) => Uint8Array | undefined): void {
  injected = 0
  hostile.incoming = (heard) => {
    const forged = forgery(heard)
    if (forged !== undefined) {
      injected++
      hostile.inject(partyId(1), forged)
    }
    return heard
  }
}

/** As soon as node 1 has proposed a session. */
const injectOnPrepare = (world: World, forgery: (heard: Heard) => Uint8Array): void =>
  injectOn(world, (heard) => (heard.control?.kind === 'prepare' ? forgery(heard) : undefined))

const forgeNode2 = (world: World): void =>
  injectOnPrepare(world, ({ header }) =>
    forge(world.hostile, header.sid, world.hostile.peers.epochOf(partyId(2)).epoch),
  )

async function assertRefusedOnly(world: World, code: string): Promise<void> {
  await assertUnharmed(world)
  // Every one of them, so that none is left for the next attack to find.
  world.hostile.behave()
  assert.ok(injected > 0)
  await world.eventually(() => world.refusals(1).length >= injected)
  assert.deepEqual([...new Set(world.refusals(1))], [code])
  assertNobodyBlamed(world)
}

const envelope = record({
  header: field(1, bytes({ max: 512 })),
  signature: field(2, bytes(64)),
  content: optional(3, bytes({ max: 1 << 20 })),
})

attack({
  'in another node’s name, signed by the attacker': async (world) => {
    forgeNode2(world)
    await assertRefusedOnly(world, 'threshold/bad-signature')
  },
  'in another node’s name, under the attacker’s epoch': async (world) => {
    injectOnPrepare(world, ({ header }) =>
      forge(world.hostile, header.sid, world.hostile.keys.epoch),
    )
    await assertRefusedOnly(world, 'threshold/wrong-epoch')
  },
  'a body under a header that was signed for another': async (world) => {
    injectOn(world, ({ header: { from, kind }, envelope: heard }) => {
      if (from !== 2 || kind !== 'broadcast') return undefined
      const { header, signature } = decode(envelope, heard, { maxBytes: 1 << 20 })
      return encode(envelope, { header, signature, content: utf8('another') })
    })
    await assertRefusedOnly(world, 'base/malformed')
  },
  'no envelope at all': async (world) => {
    injectOnPrepare(world, () => utf8('no CBOR'))
    await assertRefusedOnly(world, 'base/malformed')
  },
})

test('without the check of the signature an honest node is blamed for the forgery', async () => {
  await using world = await worldWithout({
    file: 'threshold/dist/src/session/envelope.js',
    guard: 'if (!crypto.verify(key, tagged(TAGS.envelopeHeader, outer.header), outer.signature))',
    instead: 'if (false)',
  })
  forgeNode2(world)
  await assert.rejects(world.createWallet())
  assert.deepEqual(
    world.verdicts(1).map(({ culprits }) => culprits),
    [[2]],
  )
})
