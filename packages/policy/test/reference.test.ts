import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { TxView } from '@quorate/api'
import { decide, type Facts } from '@quorate/policy'
import fc from 'fast-check'
import { demandOf, referenceDemand, type World } from './reference.ts'
import { anyFacts, anyPolicy } from './sample.ts'

const someWord = fc.constantFrom('alice', 'bob', 'me', 'eve')
const someAsset = fc.constantFrom('BTC', 'SOL')
const someAmount = fc.bigInt({ min: 0n, max: 3000n })
const anyOutput = fc.record({
  to: someWord,
  asset: someAsset,
  amount: someAmount,
  isChange: fc.boolean(),
  isClaimed: fc.constant(false),
})
const anyAllowance = fc.record({
  spender: fc.constantFrom('alice', 'bob', 'eve'),
  asset: someAsset,
  amount: someAmount,
  isClaimed: fc.constant(false),
})

/** What a view may really be: whatever it does not say for certain is anything at all. */
const worldOf = (view: TxView): fc.Arbitrary<World> => {
  const isSure = view.isComplete && view.kind !== 'opaque'
  const { fee } = view
  return fc.record({
    network: fc.constant(view.network),
    caip2: fc.constant(view.caip2),
    kind: fc.constant(view.kind),
    from: fc.constant(view.from),
    isComplete: fc.constant(true),
    notes: fc.constant([]),
    warnings: fc.constant([]),
    outputs: fc
      .tuple(
        fc.tuple(
          ...view.outputs.map((each) =>
            each.isClaimed || (!each.isChange && each.amount < 0n) ? anyOutput : fc.constant(each),
          ),
        ),
        isSure ? fc.constant([]) : fc.array(anyOutput, { maxLength: 2 }),
      )
      .map(([said, more]) => [...said, ...more]),
    fee:
      fee === undefined || fee.isClaimed
        ? fc.record({ asset: someAsset, amount: someAmount, isClaimed: fc.constant(false) })
        : fc.constant(fee),
    calls:
      view.calls === undefined
        ? fc.array(
            fc.record({
              contract: fc.constantFrom('token', 'other'),
              selector: fc.constantFrom('0xa9059cbb', '0x'),
            }),
            { maxLength: 2 },
          )
        : fc.constant(view.calls),
    allowances:
      view.allowances === undefined
        ? fc.array(anyAllowance, { maxLength: 2 })
        : fc
            .tuple(
              ...view.allowances.map((each) => (each.isClaimed ? anyAllowance : fc.constant(each))),
            )
            .map((all) => [...all]),
  })
}

const isCertain = ({ view }: Facts): boolean =>
  view.isComplete &&
  view.kind !== 'opaque' &&
  view.outputs.every(({ isClaimed, amount }) => !isClaimed && amount >= 0n) &&
  view.fee?.isClaimed === false &&
  view.calls !== undefined &&
  view.allowances?.every(({ isClaimed }) => !isClaimed) === true

test('where all is certain, the decision is what the plain reference says', () => {
  let compared = 0
  fc.assert(
    fc.property(anyPolicy, anyFacts, (policy, about) => {
      const { view } = about
      const certain: Facts = {
        ...about,
        view: {
          ...view,
          kind: view.kind === 'opaque' ? 'call' : view.kind,
          isComplete: true,
          outputs: view.outputs.map((each) => ({
            ...each,
            amount: each.amount < 0n ? 0n : each.amount,
            isClaimed: false,
          })),
          fee: { asset: 'BTC', amount: 7n, ...view.fee, isClaimed: false },
          calls: view.calls ?? [],
          allowances: (view.allowances ?? []).map((each) => ({ ...each, isClaimed: false })),
        },
      }
      assert.ok(isCertain(certain))
      const demand = demandOf(decide(policy, certain))
      assert.deepEqual(demand, referenceDemand(policy, certain, certain.view as World))
      if (!demand.isDenied) compared++
    }),
    { numRuns: 3000 },
  )
  assert.ok(compared > 100, `${compared} were not denied`)
})

test('what is not certain never asks for less than any world that it may be', () => {
  const cases = anyFacts.chain((about) =>
    worldOf(about.view).map((world) => [about, world] as const),
  )
  fc.assert(
    fc.property(anyPolicy, cases, (policy, [about, world]) => {
      const said = demandOf(decide(policy, about))
      if (said.isDenied) return
      const real = referenceDemand(policy, about, world)
      assert.equal(real.isDenied, false)
      assert.ok(said.delayMs >= real.delayMs)
      for (const [group, need] of real.approvals)
        assert.ok((said.approvals.get(group) ?? 0) >= need, group)
      for (const charge of real.charges) assert.ok(said.charges.includes(charge), charge)
    }),
    { numRuns: 4000 },
  )
})
