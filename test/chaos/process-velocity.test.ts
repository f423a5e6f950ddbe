/**
 * A limit of payments within an hour against processes: payments race at all nodes, nodes die and come
 * back between them, and whoever reads along on the mesh adds up what signers gave their shares for.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isFault } from '@quorate/base'
import { LIMIT, Payments } from './payments.ts'
import { Chance } from './random.ts'

test('payments that race at all nodes, which die in between: no more than the limit', async (t) => {
  const payments = await Payments.open(t, 3)
  const { cluster } = payments
  const chance = new Chance(9)
  let refused = 0
  for (let round = 0; round < 3; round++) {
    const racing = Promise.allSettled([1, 2, 3, 1, 2, 3].map((at) => payments.pay(at)))
    const victim = payments.node(1 + chance.below(3))
    if (round > 0) await cluster.kill(victim)
    for (const outcome of await racing)
      if (outcome.status === 'rejected' && isFault(outcome.reason, 'policy/over-limit')) refused++
    if (round > 0) {
      await cluster.launch(victim)
      await cluster.untilConnected()
    }
  }
  t.diagnostic(`${payments.taken} of ${LIMIT} taken, ${refused} refused over the limit`)
  assert.ok(payments.taken <= LIMIT, `${payments.taken} was signed`)
  assert.ok(payments.taken >= LIMIT / 2n && refused > 0)
})
