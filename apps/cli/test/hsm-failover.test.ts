import assert from 'node:assert/strict'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { describe, type TestContext, test } from 'node:test'
import {
  DeviceFault,
  type FailoverSlot,
  openHsmState,
  openRoleLocks,
  RoleCustody,
} from '@quorate/hsm'
import { systemClock } from '@quorate/platform'
import { custodyPolicyFromPlain } from '@quorate/policy'
import { cliIn, document, errorOf, scratch } from './support/cli.ts'

type Status = {
  readonly items: readonly {
    readonly name: string
    readonly active: string | null
    readonly slots: readonly { readonly name: string; readonly state: string }[]
    readonly lastSwitch: { readonly from: string; readonly to: string; readonly reason: string }
    readonly emergency: { readonly isEntered: boolean; readonly used: number } | null
  }[]
  readonly locks: readonly { readonly role: string | null; readonly reason: string }[]
}

const absent = (name: string, place: FailoverSlot['place']): FailoverSlot => ({
  name,
  place,
  maxRetries: 0,
  retryIntervalMs: 60_000,
  custody: 'hardware',
  open: () => Promise.reject(new DeviceFault('hsm/token-absent')),
})

/** A home whose state remembers a failover from `main` to what is left. */
async function failedOver(t: TestContext, left: readonly FailoverSlot[]): Promise<string> {
  const home = scratch('home')
  const state = await openHsmState(join(home, 'hsm-state'))
  const custody = await RoleCustody.open(
    {
      name: 'hsm',
      environment: 'development',
      policy: custodyPolicyFromPlain({}),
      devices: [absent('main', 'primary'), ...left],
    },
    { clock: systemClock, state, audit: { append: async () => undefined } },
  )
  t.after(() => custody.close())
  const { run } = custody.failover
  await assert.rejects(
    run.call(custody.failover, {
      role: 'validator',
      decide: () => ({ decision: 'allow', rule: 'role', reasons: [] }),
      perform: () => Promise.reject(new Error('refused')),
      discard: () => undefined,
    }),
  )
  await custody.close()
  await state.close()
  return home
}

describe('hsm failover status', () => {
  test('says which device is used and why, without asking any', async (t) => {
    const last: FailoverSlot = {
      ...absent('last', 'emergency'),
      open: () => Promise.reject(new DeviceFault('hsm/pin-locked')),
    }
    const home = await failedOver(t, [last])
    const { items, locks } = document<Status>(
      await cliIn(home)('hsm', 'failover', 'status', '--json'),
    )
    assert.deepEqual(locks, [])
    const [status] = items
    assert.deepEqual([items.length, status?.name, status?.active], [1, 'hsm', 'last'])
    assert.deepEqual(
      status?.slots.map(({ name, state }) => [name, state]),
      [
        ['main', 'down'],
        ['last', 'up'],
      ],
    )
    assert.deepEqual(
      [status?.lastSwitch.from, status?.lastSwitch.to, status?.lastSwitch.reason],
      ['main', 'last', 'hsm/token-absent'],
    )
    assert.equal(status?.emergency?.isEntered, true)
    const { out, code } = await cliIn(home)('hsm', 'failover', 'status')
    assert.equal(code, 0)
    assert.match(out, /hsm: last is used/)
    assert.match(out, /main +primary +down: hsm\/token-absent/)
    assert.match(out, /EMERGENCY: 0 of 1000 operations \(sign\)/)
  })

  test('reads what a program holds that is running, and leaves nothing behind', async (t) => {
    const home = await failedOver(t, [])
    const state = await openHsmState(join(home, 'hsm-state'))
    t.after(() => state.close())
    await openRoleLocks({ state, clock: systemClock }).lock('open', 'admin')
    const temporary = scratch('tmp')
    const quorate = cliIn(home, { TMPDIR: temporary })
    const { out } = await quorate('hsm', 'failover', 'status', '--json')
    const { items, locks } = JSON.parse(out) as Status
    assert.equal(items[0]?.active, null)
    assert.equal(locks[0]?.role, 'admin')
    assert.deepEqual(readdirSync(temporary), [])
    const refused = await quorate('hsm', 'lock', '--reason', 'x', '--json')
    assert.equal(errorOf(refused).code, 'platform/directory-in-use')
  })

  test('ends with the code of what is unavailable where all devices are down', async (t) => {
    const ran = await cliIn(await failedOver(t, []))('hsm', 'failover', 'status', '--json')
    assert.equal(ran.code, 5)
    assert.equal((JSON.parse(ran.out) as Status).items[0]?.active, null)
  })

  test('of a name that is not there is refused, and of a new state is empty', async () => {
    const quorate = cliIn(scratch('home'))
    assert.deepEqual(document<Status>(await quorate('hsm', 'failover', 'status', '--json')), {
      items: [],
      locks: [],
    })
    const ran = await quorate('hsm', 'failover', 'status', '--name', 'x', '--json')
    assert.equal(errorOf(ran).code, 'hsm/no-failover')
  })
})

test('hsm lock stops a role until what must be typed is given', async () => {
  const home = scratch('home')
  const quorate = cliIn(home)
  document(await quorate('hsm', 'lock', '--role', 'validator', '--reason', 'open', '--json'))
  const { locks } = document<Status>(await quorate('hsm', 'failover', 'status', '--json'))
  assert.deepEqual(
    locks.map(({ role, reason }) => [role, reason]),
    [['validator', 'open']],
  )
  const unlock = (...args: readonly string[]) =>
    quorate('hsm', 'unlock', '--role', 'validator', ...args, '--json')
  assert.equal(errorOf(await unlock()).code, 'cli/not-confirmed')
  assert.equal(errorOf(await unlock('--confirm', 'yes')).code, 'cli/not-confirmed')
  document(await unlock('--confirm', 'unlock validator', '--by', 'alice'))
  const state = await openHsmState(join(home, 'hsm-state'))
  assert.deepEqual(openRoleLocks({ state, clock: systemClock }).list(), [])
  await state.close()
})
