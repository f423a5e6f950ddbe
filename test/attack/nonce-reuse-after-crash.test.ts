import assert from 'node:assert/strict'
import { test } from 'node:test'
import { equalBytes, toHex } from '@quorate/base'
import type { Heard } from '@quorate/enclave/testing'
import { partyId } from '@quorate/threshold'
import { attack } from '../support/attack.ts'
import { worldWithout } from '../support/without-guard.ts'
import type { TestWallet, World } from '../support/world.ts'

/** Sessions that are replayed to node 2 after its directory was put back: what it said in one, it must never say in two. */
type Crash = { readonly wallet: TestWallet; readonly sid: Uint8Array }

const isSigning = ({ hostile }: World, { header }: Heard): boolean =>
  hostile.manifestOf(header.sid)?.purpose === 'sign'

/** Node 2's commitments to nonces in every signing so far. */
const commitmentsOf = (world: World): readonly string[] =>
  world.hostile.heard
    .filter(
      (heard) =>
        heard.header.from === 2 && heard.header.kind === 'broadcast' && heard.header.round === 1,
    )
    .filter((heard) => isSigning(world, heard))
    .map(({ body }) => toHex(body))

/** All three sign; then node 2 crashes and finds its directory as it was before, and gets the same session again. */
async function rewindAndReplay(world: World): Promise<Crash> {
  const { hostile } = world
  const wallet = await world.createWallet({ threshold: 3 })
  for (;;) {
    const snapshot = world.snapshot(2)
    const from = hostile.heard.length
    await world.sign(wallet)
    const since = hostile.heard.slice(from)
    // A node that showed a later checkpoint of itself to its peers does not even start again.
    if (since.some(({ header, control }) => header.from === 2 && control?.kind === 'checkpoint'))
      continue
    await snapshot.restore()
    const session = since.filter((heard) => heard.header.from === 1 && isSigning(world, heard))
    for (const { envelope } of session) hostile.inject(partyId(2), envelope)
    return { wallet, sid: session[0]!.header.sid }
  }
}

const readyOf = ({ hostile }: World, { sid }: Crash): number =>
  hostile.heard.filter(
    ({ header, control }) =>
      header.from === 2 && control?.kind === 'ready' && equalBytes(header.sid, sid),
  ).length

attack({
  'a node whose whole directory is put back never uses a nonce twice': async (world) => {
    const crash = await rewindAndReplay(world)
    await world.eventually(() => world.refusals(2).includes('enclave/stale-manifest'))
    assert.equal(readyOf(world, crash), 1)
    await world.sign(crash.wallet)
    await world.sign(crash.wallet)
    const commitments = commitmentsOf(world)
    assert.ok(commitments.length >= 4)
    assert.equal(new Set(commitments).size, commitments.length)
  },
})

test('a node that does not look at boot ids takes up a session from before the crash', async () => {
  const file = 'enclave/dist/src/signer-process/member.js'
  await using world = await worldWithout(
    {
      file,
      guard: 'if (!equalBytes(known.bootId, bootId) || !equalBytes(known.epoch, epoch))',
      instead: 'if (false)',
    },
    { file, guard: 'if (!equalBytes(own.bootId, this.#bootId))', instead: 'if (false)' },
  )
  const crash = await rewindAndReplay(world)
  await world.eventually(() => readyOf(world, crash) === 2)
})

test('nonces that do not come from fresh randomness survive the crash', async () => {
  await using world = await worldWithout({
    file: 'threshold/dist/src/frost/nonces.js',
    guard: 'const fresh = random.bytes(32);',
    instead: 'const fresh = new Uint8Array(32);',
  })
  const { wallet } = await rewindAndReplay(world)
  await world.sign(wallet)
  const commitments = commitmentsOf(world)
  assert.ok(new Set(commitments).size < commitments.length)
})
