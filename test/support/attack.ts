/** How every attack is shown: in memory and over running processes, each time with honest nodes that go on. */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { type MemoryWorld, memoryWorld } from './memory-world.ts'
import { type ProcessWorld, processWorld } from './process-world.ts'
import { HONEST, type Honest, type Verdict, type World } from './world.ts'

type Attacks<W> = { readonly [title: string]: (world: W) => Promise<void> }

/**
 * Runs the attacks against one world of each kind, one after the other, and looks at the nodes
 * afterwards; `only` holds what concerns one kind.
 */
export function attack(
  attacks: Attacks<World>,
  only: {
    readonly memory?: Attacks<MemoryWorld>
    readonly processes?: Attacks<ProcessWorld>
  } = {},
): void {
  attackOn('in memory', memoryWorld, { ...attacks, ...only.memory })
  attackOn('running processes', processWorld, { ...attacks, ...only.processes })
}

function attackOn<W extends World>(
  where: string,
  open: () => Promise<W>,
  attacks: Attacks<W>,
): void {
  describe(where, () => {
    let world: W
    before(async () => {
      world = await open()
    })
    after(() => world[Symbol.asyncDispose]())
    for (const [title, run] of Object.entries(attacks))
      test(title, async () => {
        world.forget()
        try {
          await run(world)
        } catch (error) {
          if (error instanceof Error) error.message += whatTheySaid(world)
          throw error
        } finally {
          world.hostile.behave()
        }
      })
    test('the honest nodes are unharmed', () => assertUnharmed(world))
  })
}

/** The warnings of the honest nodes, so that a failure on some other machine can be understood. */
const whatTheySaid = (world: World): string =>
  HONEST.flatMap((node) => world.warnings(node).map((line) => `\nnode ${node}: ${line}`)).join('')

/** A wallet can be made with all nodes, signs, and is there on every honest node. */
export async function assertUnharmed(world: World): Promise<void> {
  const wallet = await world.createWallet()
  await world.sign(wallet)
  for (const node of HONEST)
    await world.eventually(async () => (await world.wallets(node)).includes(wallet.wallet))
}

/**
 * No honest node holds anybody guilty. That sessions fail is no harm: on a slow machine a coordinator begins
 * another where signers stand still, and gives up whichever is later.
 */
export function assertNobodyBlamed(world: World): void {
  for (const node of HONEST) assert.deepEqual(blamed(world, node), [])
}

/** The verdicts of an honest node that hold somebody guilty. */
export const blamed = (world: World, node: Honest): readonly Verdict[] =>
  world.verdicts(node).filter(({ culprits }) => culprits.length > 0)

/** Every honest node ended the session with this code and blames exactly node 3. */
export async function assertConvicted(world: World, code: string): Promise<void> {
  const expected: Verdict = { code, culprits: [3] }
  for (const node of HONEST) {
    await world.eventually(() => world.verdicts(node).length > 0)
    assert.deepEqual(world.verdicts(node), [expected])
  }
}

/** A new wallet fails with this code, every honest node blames exactly node 3, and nothing of the wallet is left. */
export async function assertKeygenConvicts(
  world: World,
  code: string,
  threshold = 2,
): Promise<void> {
  const before = await Promise.all(HONEST.map((node) => world.wallets(node)))
  await assert.rejects(world.createWallet({ threshold }), { code })
  await assertConvicted(world, code)
  assert.deepEqual(await Promise.all(HONEST.map((node) => world.wallets(node))), before)
}
