/** Nodes that die while they enter, release or bury a payment in the ledger of a limited wallet. */
import assert from 'node:assert/strict'
import { isFault } from '@quorate/base'
import type { ProcessNode } from '../../support/process-node.ts'
import { UNIT } from '../limited.ts'
import { Payments } from '../payments.ts'
import type { Stage } from '../stage.ts'

const UNITS = 3

/**
 * The payment that was cut short is made in the end, no more than the limit leaves the wallet, and of the limit
 * nothing is lost unless the node had released its share: then the payment counts twice.
 */
export async function visitLedger(stage: Stage, victim: ProcessNode, place: string): Promise<void> {
  const payments = await Payments.on(stage.mesh, BigInt(UNITS) * UNIT)
  const order = payments.order()
  const pay = () => stage.load.ask(order, victim)
  if (place.endsWith('-bury')) {
    // What a node did not come to release it buries when it starts again.
    await stage.dieAt(victim, 'enclave/ledger/before-release', pay)
    await stage.dieAt(victim, place, () => new Promise(() => undefined))
  } else await stage.dieAt(victim, place, pay)
  await stage.revive(victim)
  await stage.sameAtAll(order)
  let paid = 1
  while (await paysOne(stage, payments, victim)) paid++
  const lost = place.endsWith('/after-release') ? 1 : 0
  assert.ok(paid >= UNITS - lost, `after ${place} only ${paid} of ${UNITS} units could be paid`)
  assert.ok(payments.taken <= BigInt(UNITS) * UNIT, `${payments.taken} was signed`)
}

/** Whether there is a unit left: if so it is paid, at whichever node pays. */
async function paysOne(stage: Stage, payments: Payments, first: ProcessNode): Promise<boolean> {
  // The node that died knows best what came to nothing.
  for (const node of [first, ...stage.others(first)])
    try {
      await stage.load.ask(payments.order(), node)
      return true
    } catch (error) {
      if (!isFault(error, 'policy/over-limit')) throw error
    }
  return false
}
