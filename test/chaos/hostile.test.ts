/**
 * One node of three in an attacker's hands, on a network in the same hands: it says random things in
 * place of what it should, to whomever, and whatever it hears it may forget, or hear twice. The two
 * honest nodes end well or not at all, and blame nobody else.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { encodeRequest, type RequestBody } from '@quorate/api'
import { type AcceptedRecord, acceptChain, decodeSignedRecord } from '@quorate/auth'
import { isFault, toHex } from '@quorate/base'
import { decodeWallet, verifyEd25519, verifyEvidenceFile } from '@quorate/enclave'
import type { Said, Wire } from '@quorate/enclave/testing'
import type { PartyId } from '@quorate/threshold'
import { type MemoryWorld, memoryWorld } from '../support/memory-world.ts'
import { HONEST } from '../support/world.ts'
import { Chance } from './random.ts'
import { mangled, Storm } from './storm.ts'
import { Witness } from './witness.ts'

const SEEDS = [1, 2, 3] as const
const TURNS = 15
const ODDS = { lose: 0.02, repeat: 0.1, delay: 0.1, alter: 0.03, replay: 0.1 }

/** What it says in place of a message: the same, another, to somebody else, or nothing. */
function lie(said: Said, chance: Chance, others: readonly PartyId[]): readonly Said[] {
  if (chance.is(0.5)) return [said]
  const kind = chance.below(6)
  if (kind === 0) return []
  if (kind === 1) return [said, said]
  if (kind === 2) return [{ ...said, body: mangled(said.body, chance) }]
  if (kind === 3) return [{ ...said, round: (said.round + 1) % 8 }]
  if (kind === 4 && said.to === 'all')
    return others.map((receiver) => ({
      ...said,
      receivers: [receiver],
      body: chance.is(0.5) ? mangled(said.body, chance) : said.body,
    }))
  return [{ ...said, sid: said.sid.map((byte, i) => (i === 0 ? byte ^ 1 : byte)) }]
}

async function run(world: MemoryWorld, seed: number): Promise<void> {
  const { cluster, hostile } = world
  const chance = new Chance(seed)
  const accepted = acceptChain(cluster.chain.map(decodeSignedRecord), { verify: verifyEd25519 })
  const witness = new Witness(accepted)
  // Of the honest nodes alone: the hostile one may say and use what it likes.
  for (const node of HONEST) witness.learn(cluster.nodes[node - 1]!.epoch, cluster.time.now())
  const storm = new Storm<Wire>(
    chance,
    (wire) => ({ ...wire, envelope: mangled(wire.envelope, chance) }),
    ODDS,
  )
  const toHostile = cluster.tamper
  cluster.tamper = (wire) => {
    if (wire.from !== 3) witness.see(wire.envelope)
    return storm.pass(wire).flatMap((each) => toHostile(each))
  }
  hostile.outgoing = (said) => lie(said, chance, hostile.others)
  hostile.incoming = (heard) => (chance.is(0.9) ? heard : undefined)

  const results: { readonly body: RequestBody; readonly result: string }[] = []
  const wallet = await world.createWallet().catch(() => undefined)
  const target = wallet ?? (await calmWallet(world, storm))
  for (let turn = 0; turn < TURNS; turn++) {
    const body = chance.is(0.15) ? world.walletBody() : world.signBody(target)
    const request = encodeRequest(await world.request(body))
    const at = chance.pick(HONEST)
    try {
      const outcome = await cluster.submit(cluster.nodes[at - 1]!, request)
      if (outcome.kind === 'transaction')
        results.push({ body, result: toHex(outcome.value.signed) })
    } catch (error) {
      assert.ok(isFault(error), String(error))
    }
  }

  hostile.behave()
  cluster.wires.push(...storm.clear())
  await world.eventually(() => HONEST.every((node) => world.rows(node).every(isActive)))
  await world.sign(target)
  witness.check()
  for (const node of HONEST) {
    for (const { culprits } of world.verdicts(node))
      assert.deepEqual(
        culprits.filter((party) => party !== 3),
        [],
        `node ${node} blames ${culprits.join()}`,
      )
    for (const { file } of cluster.nodes[node - 1]!.evidence)
      for (const { party } of convictedBy(file, accepted)) assert.equal(party, 3)
  }
  const keys = (node: 1 | 2): readonly string[] =>
    world
      .rows(node)
      .map(({ public: record }) => toHex(decodeWallet(record).key.groupKey))
      .sort()
  assert.deepEqual(keys(1), keys(2))
  // Every share of an honest node had a decision on its disk.
  for (const { from, sid } of witness.released) {
    const { audit } = cluster.nodes[from - 1]!.disk
    assert.ok(
      audit.some((record) => record.decision === 'allow' && toHex(record.sid!) === sid),
      `node ${from} gave a share of ${sid} away without a decision`,
    )
  }
}

/** Whom a stranger would convict; nobody where the file does not convince. */
function convictedBy(file: Uint8Array, cluster: AcceptedRecord) {
  try {
    return verifyEvidenceFile(file, cluster).culprits
  } catch (error) {
    if (isFault(error, 'threshold/evidence-rejected')) return []
    throw error
  }
}

const isActive = ({ state }: { readonly state: string }): boolean => state === 'active'

/** A wallet to sign with, made while everybody behaves. */
async function calmWallet(world: MemoryWorld, storm: Storm<Wire>) {
  const { hostile } = world
  const { outgoing } = hostile
  const { odds } = storm
  hostile.behave()
  storm.clear()
  const wallet = await world.createWallet()
  hostile.outgoing = outgoing
  storm.odds = odds
  return wallet
}

for (const seed of SEEDS)
  test(`a hostile node on a hostile network, course ${seed}`, async () => {
    await using world = await memoryWorld()
    await run(world, seed)
  })
