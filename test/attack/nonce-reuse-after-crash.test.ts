import assert from 'node:assert/strict'
import { test } from 'node:test'
import { equalBytes, toHex } from '@quorate/base'
import type { Heard } from '@quorate/enclave/testing'
import { partyId } from '@quorate/threshold'
import { attack } from '../support/attack.ts'
import { worldWithout } from '../support/without-guard.ts'
import type { TestWallet, World } from '../support/world.ts'

/** This node dials the others, so that it is back at once after a crash. */
const CRASHED = 1
const COORDINATOR = 2

/** A session that a node took part in before its directory was put back to what it was. */
type Crash = { readonly wallet: TestWallet; readonly sid: Uint8Array }

const isSigning = ({ hostile }: World, { header }: Heard): boolean =>
  hostile.manifestOf(header.sid)?.purpose === 'sign'

/** Nonces may be made ahead, in sessions of their own. */
const commits = ({ hostile }: World, { header }: Heard): boolean =>
  ['sign', 'pool'].includes(hostile.manifestOf(header.sid)?.purpose ?? '')

/** What the crashed node says first in every signing so far: commitments to nonces, or its share under one made ahead. */
const commitmentsOf = (world: World): readonly string[] =>
  world.hostile.heard
    .filter(
      (heard) =>
        heard.header.from === CRASHED &&
        heard.header.kind === 'broadcast' &&
        heard.header.round === 1,
    )
    .filter((heard) => commits(world, heard))
    .map(({ body }) => toHex(body))

/** All three sign; then one crashes and finds its directory as it was before, and gets the same session again. */
async function rewindAndReplay(world: World): Promise<Crash> {
  const { hostile } = world
  const wallet = await world.createWallet({ threshold: 3, at: COORDINATOR })
  await world.eventually(async () => (await world.wallets(CRASHED)).includes(wallet.wallet))
  for (;;) {
    const snapshot = world.snapshot(CRASHED)
    const from = hostile.heard.length
    await world.sign(wallet, { at: COORDINATOR })
    const since = hostile.heard.slice(from)
    // A node that showed a later checkpoint of itself to its peers does not even start again.
    if (
      since.some(({ header, control }) => header.from === CRASHED && control?.kind === 'checkpoint')
    )
      continue
    await snapshot.restore()
    const session = since.filter(
      (heard) => heard.header.from === COORDINATOR && isSigning(world, heard),
    )
    for (const { envelope } of session) hostile.inject(partyId(CRASHED), envelope)
    return { wallet, sid: session[0]!.header.sid }
  }
}

const readyOf = ({ hostile }: World, { sid }: Crash): number =>
  hostile.heard.filter(
    ({ header, control }) =>
      header.from === CRASHED && control?.kind === 'ready' && equalBytes(header.sid, sid),
  ).length

attack({
  'a node whose whole directory is put back never uses a nonce twice': async (world) => {
    const crash = await rewindAndReplay(world)
    await world.eventually(() => world.refusals(CRASHED).includes('enclave/stale-manifest'))
    assert.equal(readyOf(world, crash), 1)
    await world.sign(crash.wallet, { at: COORDINATOR })
    await world.sign(crash.wallet, { at: COORDINATOR })
    const commitments = commitmentsOf(world)
    assert.ok(commitments.length >= 4)
    assert.equal(new Set(commitments).size, commitments.length)
  },
})

test('a node that does not look at boot ids takes up a session from before the crash', async () => {
  const file = 'enclave/dist/src/signer-process/judge.js'
  await using world = await worldWithout(
    {
      file,
      guard: 'if (!equalBytes(known.bootId, bootId) || !equalBytes(known.epoch, epoch))',
      instead: 'if (false)',
    },
    { file, guard: 'if (!equalBytes(own.bootId, bootIdOfThis))', instead: 'if (false)' },
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
  await world.sign(wallet, { at: COORDINATOR })
  const commitments = commitmentsOf(world)
  assert.ok(new Set(commitments).size < commitments.length)
})
