import assert from 'node:assert/strict'
import { test } from 'node:test'
import { decodeWallet } from '@quorate/enclave'
import { readShare } from '@quorate/enclave/testing'
import { ed25519 as group, interpolate, mod } from '@quorate/math'
import { systemRandom } from '@quorate/platform'
import { assertKeygenConvicts, attack } from '../support/attack.ts'
import { dealFalsely } from '../support/dealings.ts'
import { tell } from '../support/lies.ts'
import { worldWithout } from '../support/without-guard.ts'
import type { World } from '../support/world.ts'

/** The coefficient of x² that node 3 adds to its polynomial of a 2-of-3 wallet. */
const EXTRA = 42n

/** Commitment and shares stay consistent: only the degree is higher, so that two signers are too few. */
const dealsOneDegreeMore = ({ hostile }: World) =>
  tell(
    hostile,
    ...dealFalsely(hostile, (own) => ({
      ...own,
      commitment: [...own.commitment, group.mulBase(EXTRA)],
      shares: own.shares.map((share, i) => mod(share + EXTRA * BigInt(i + 1) ** 2n, group.order)),
    })),
  )

attack({
  'a polynomial of a higher degree than the threshold allows is refused': async (world) => {
    dealsOneDegreeMore(world)
    await assertKeygenConvicts(world, 'threshold/malformed-message')
  },
})

test('with a parser that takes as many coefficients as come, a 2-of-3 wallet needs three', async () => {
  await using world = await worldWithout(
    {
      file: 'threshold/dist/src/frost/keygen/messages.js',
      guard: 'if (bytes.length !== length)',
      instead: 'if (bytes.length < length)',
    },
    {
      file: 'threshold/dist/src/frost/keygen/messages.js',
      guard: 'commitment: from.list(params.coefficients,',
      instead: 'commitment: from.list((bytes.length - 96) / 32 - params.hostKeys.length,',
    },
    {
      file: 'threshold/dist/src/frost/keygen/coordinator.js',
      guard:
        'Array.from({ length: coefficients - 1 }, (_, k) => group.sum(dealings.map(({ commitment }) => commitment[k + 1])))',
      instead:
        'Array.from({ length: Math.max(...dealings.map(({ commitment }) => commitment.length)) - 1 }, (_, k) => group.sum(dealings.flatMap(({ commitment }) => commitment[k + 1] ?? [])))',
    },
  )
  dealsOneDegreeMore(world)
  await world.createWallet({ threshold: 2 }).catch(() => undefined)
  const { key } = decodeWallet(world.rows(1)[0]!.public)
  assert.equal(key.threshold, 3)
  const shares = await Promise.all(
    ([1, 2] as const).map(async (self) => {
      const { directory, disk } = world.cluster.nodes[self - 1]!
      const held = {
        hsmDirectory: directory,
        storeId: disk.storeId,
        sealedSecrets: disk.secrets!,
        self,
      }
      return group.decodeScalar(
        await readShare({ ...held, row: world.rows(self)[0]! }, systemRandom),
      )
    }),
  )
  const joint = group.mulBase(interpolate([1n, 2n], shares, group.order))
  assert.notDeepEqual(group.encode(joint), key.groupKey)
})
