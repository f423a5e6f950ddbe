/** Nodes that die while they sign or make a wallet. */
import { fromHex } from '@quorate/base'
import { sepoliaTransfer, solanaTransfer } from '@quorate/enclave/testing'
import type { ProcessNode } from '../../support/process-node.ts'
import type { Stage } from '../stage.ts'

/** Long enough to be asked for again when a node that died is back. */
const LIFETIME_MS = 240_000

/** One request after the other until the node dies; the last one then has one result at all nodes. */
export async function visitSigning(
  stage: Stage,
  victim: ProcessNode,
  place: string,
): Promise<void> {
  const { cluster } = stage.mesh
  const isEcdsa = /presign/.test(place)
  const wallet = isEcdsa ? stage.load.wallets[1]! : stage.wallet
  let amount = 0n
  const next = () => {
    const unsigned = isEcdsa
      ? sepoliaTransfer(++amount)
      : solanaTransfer(fromHex(wallet.groupKey), ++amount)
    return cluster.signBody(wallet, unsigned, LIFETIME_MS)
  }
  let last = next()
  await stage.dieAt(victim, place, async () => {
    // What is made ahead is there after a while only; before that other places are passed.
    while (stage.isUp(victim)) {
      last = next()
      await stage.load.ask(last, victim).catch(() => undefined)
    }
  })
  await stage.revive(victim)
  await stage.sameAtAll(last)
}

/** A wallet that is half made when a node dies becomes whole or nothing, and another one can be made. */
export async function visitKeygen(stage: Stage, victim: ProcessNode, place: string): Promise<void> {
  const { cluster } = stage.mesh
  await stage.dieAt(victim, place, () => cluster.createWallet('solana-devnet', victim))
  await stage.revive(victim)
  await stage.untilWhole()
  await cluster.createWallet('solana-devnet', victim)
}

/** A node that did not sign keeps what others signed, for it can reach one of the two signers only. */
export async function visitAnswer(stage: Stage, victim: ProcessNode, place: string): Promise<void> {
  const { cluster, proxy } = stage.mesh
  const [near, far] = stage.others(victim)
  await cluster.kill(victim)
  const unsigned = solanaTransfer(fromHex(stage.wallet.groupKey), 77n)
  const body = cluster.signBody(stage.wallet, unsigned, LIFETIME_MS)
  await stage.load.ask(body, near)
  proxy.cut(victim.index, far.index)
  await stage.dieAt(victim, place, () => stage.load.ask(body, victim), [near])
  proxy.healAll()
  await stage.revive(victim)
  await stage.sameAtAll(body)
}
