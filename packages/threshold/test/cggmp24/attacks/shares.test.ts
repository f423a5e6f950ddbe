/** Signature shares and presignatures: wrong ones, ones used twice, ones for something else than was meant. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { sha256 } from '@noble/hashes/sha2.js'
import { isFault, utf8 } from '@quorate/base'
import { fromBytesBe, inverse, mod, secp256k1, toUnsignedBytes } from '@quorate/math'
import type { Presignature } from '#src/cggmp24/presign/presignature.js'
import { onlineSharesCodec, revealCodec } from '#src/cggmp24/sign/checks.js'
import type { SignedUse } from '#src/cggmp24/sign/double-use.js'
import { type EcdsaSignature, verifyEcdsa } from '#src/cggmp24/sign/signature.js'
import { PresignaturePool } from '#src/one-use-pool.js'
import type { PartyId } from '#src/session/party.js'
import { conspire, misbehave, outputsOf, recoded } from '#src/testing/index.js'
import { keyAt } from '../signatures.js'
import * as stage from '../stage.js'
import { assertConvicted, idsOf, onlineScene, play, TESTED, walletOf } from '../stage.js'
import { type Stage, stageWithout } from './without-guard.js'

const [ONE, TWO] = idsOf(1, 2) as [PartyId, PartyId]
const { order } = secp256k1
const wallet = walletOf(TESTED)
const dist = 'threshold/dist/src/cggmp24'
const message = (text: string) => ({ kind: 'message', bytes: utf8(text), hash: 'sha256' }) as const
const digest = (text: string): Uint8Array => sha256(utf8(text))
const plusOne = (share: bigint): bigint => mod(share + 1n, order)

const presigned = (on: Stage, name: string, isRerandomised = false) =>
  outputsOf(
    on.play(
      on.presignScene(on.walletOf(on.TESTED), idsOf(1, 2), name, {
        ...(isRerandomised && { isRerandomised }),
      }),
    ),
  )
const bound = (text: string) => (presignature: Presignature) =>
  ({ kind: 'bound', presignature, message: message(text) }) as const
const rerandomised = (text: string) => (presignature: Presignature) =>
  ({
    kind: 'rerandomised',
    presignature,
    message: message(text),
    chainCode: wallet.key.chainCode,
    path: [],
  }) as const

const scalarsOf = ({ bytes }: EcdsaSignature): readonly [r: bigint, s: bigint] => [
  fromBytesBe(bytes.subarray(0, 32)),
  fromBytesBe(bytes.subarray(32)),
]
const isSigned = (text: string, r: bigint, s: bigint): boolean => {
  const bytes = new Uint8Array(64)
  bytes.set(toUnsignedBytes(r, 32))
  bytes.set(toUnsignedBytes(s > order >> 1n ? order - s : s, 32), 32)
  return verifyEcdsa(secp256k1.encode(keyAt(wallet.key, [])), digest(text), bytes)
}

describe('a share that is one off', () => {
  const change = recoded(onlineSharesCodec(1), (body) => ({
    ...body,
    shares: body.shares.map(plusOne),
  }))

  test('in one round', () => {
    const scene = onlineScene(presigned(stage, 'one'), 'one online', bound('m'))
    const result = play(scene, { cheat: misbehave({ from: 2, round: 1 }, change) })
    assertConvicted(scene, result, 2, 'threshold/invalid-share')
  })

  test('in one round from a pool', () => {
    const { chainCode } = wallet.key
    const scene = onlineScene(presigned(stage, 'pool'), 'pool online', (presignature) => ({
      kind: 'derived',
      presignature,
      message: message('m'),
      chainCode,
      path: [7],
    }))
    const result = play(scene, { cheat: misbehave({ from: 2, round: 1 }, change) })
    assertConvicted(scene, result, 2, 'threshold/invalid-share')
  })

  test('after re-randomising', () => {
    const scene = onlineScene(presigned(stage, 'two', true), 'two online', rerandomised('m'))
    const result = play(scene, { cheat: misbehave({ from: 2, round: 2 }, change) })
    assertConvicted(scene, result, 2, 'threshold/invalid-share')
  })

  test('unchecked, it spoils the signature and nobody is to blame', async () => {
    const on = await stageWithout({
      file: `${dist}/sign/checks.js`,
      guard: '!isShareOf(presignature, this.digests[i], from, shares[i], this.#nonces[i])',
      instead: 'false',
    })
    const scene = on.onlineScene(presigned(on, 'one'), 'one online', bound('m'))
    const result = on.play(scene, { cheat: misbehave({ from: 2, round: 1 }, change) })
    const { code, culprits } = on.verdictOf(result, 1)
    assert.deepEqual([code, culprits], ['threshold/degenerate', []])
  })
})

test('an accomplice in another session does not cover up for a wrong share', () => {
  const three = idsOf(1, 2, 3)
  const making = stage.presignScene(wallet, three, 'cover', { isRerandomised: true })
  const scene = onlineScene(outputsOf(play(making)), 'covered', rerandomised('m'))
  const shares = onlineSharesCodec(1)
  const cheat = conspire(
    misbehave(
      { from: 1, round: 2 },
      recoded(shares, (body) => ({ ...body, context: new Uint8Array(32) })),
    ),
    misbehave(
      { from: 2, round: 2 },
      recoded(shares, (body) => ({ ...body, shares: body.shares.map(plusOne) })),
    ),
  )
  assertConvicted(scene, play(scene, { cheat }), 2, 'threshold/invalid-share', { by: [3] })
})

describe('entropy other than what was committed to', () => {
  const steer = recoded(revealCodec(1), (body) => ({ ...body, entropies: [digest('chosen')] }))
  const steered = (on: Stage) => {
    const scene = on.onlineScene(presigned(on, 'steer', true), 'steered', rerandomised('m'))
    return { scene, result: on.play(scene, { cheat: misbehave({ from: 2, round: 1 }, steer) }) }
  }

  test('is its sender’s fault', () => {
    const { scene, result } = steered(stage)
    assertConvicted(scene, result, 2, 'threshold/wrong-opening')
  })

  test('unchecked, the last to speak chooses how the nonce is randomised', async () => {
    const on = await stageWithout({
      file: `${dist}/sign/checks.js`,
      guard: 'if (!isOpened)',
      instead: 'if (false)',
    })
    // The other signer goes on with entropy that party 2 made up after it saw the other's.
    const { code, detail } = on.verdictOf(steered(on).result, 2)
    assert.deepEqual([code, detail], ['threshold/invalid-share', undefined])
  })
})

describe('a presignature used twice', () => {
  const file = `${dist}/presign/presignature.js`
  /** The library, in which presignatures are not used up. */
  const withoutUse = () =>
    stageWithout(
      {
        file,
        guard: 'this.#secrets = undefined;\n        return new Taken',
        instead: 'return new Taken',
      },
      { file, guard: 'this[Symbol.dispose]();\n        const scale', instead: 'const scale' },
    )
  /** Two signatures with one nonce. */
  const twice = (on: Stage) => {
    const made = presigned(on, 'twice')
    return ['first', 'second'].map((text) => {
      const scene = on.onlineScene(made, text, bound(text))
      return [...outputsOf(on.play(scene)).values()][0]![0]!
    })
  }

  test('is refused', () => {
    assert.throws(
      () => twice(stage),
      (error) => isFault(error, 'threshold/presignature-used'),
    )
  })

  test('gives the key away', async () => {
    const on = await withoutUse()
    const [[r, s1], [, s2]] = twice(on).map(scalarsOf) as [
      readonly [bigint, bigint],
      readonly [bigint, bigint],
    ]
    const [m1, m2] = ['first', 'second'].map((text) => fromBytesBe(digest(text))) as [
      bigint,
      bigint,
    ]
    // s = k⁻¹·(m + r·x), up to the sign of either.
    const found = [s2, order - s2].map((other) => {
      const k = mod((m1 - m2) * inverse(mod(s1 - other, order), order), order)
      return secp256k1.mulBase(mod((s1 * k - m1) * inverse(r, order), order))
    })
    assert.ok(found.some((key) => secp256k1.equals(key, wallet.key.groupKey)))
  })

  test('convicts whoever goes into both sessions, and nobody else', async () => {
    const on = await withoutUse()
    const [made, fresh] = [presigned(on, 'both'), presigned(on, 'fresh')]
    const use = (name: string, from: PartyId, which = made): SignedUse => {
      const scene = on.onlineScene(which, name, bound(name))
      const said = on.record(scene).spoken.find((each) => each.from === from)!
      assert.equal(said.kind, 'broadcast')
      return { facts: scene.facts(), envelope: said.original.envelope }
    }
    const verifier = on.verifierOf(on.onlineScene(made, 'any', bound('any')))
    const twice = [use('first', TWO), use('second', TWO)] as const
    assert.equal(on.verifyDoubleUse(twice, verifier), TWO)
    const [first, second] = twice
    const innocent: readonly (readonly [SignedUse, SignedUse])[] = [
      [first, first],
      [first, use('third', TWO, fresh)],
      [first, use('second', ONE)],
      [first, { ...second, facts: first.facts }],
      [first, { ...second, facts: { ...second.facts, items: first.facts.items } }],
      [first, { ...second, envelope: second.envelope.with(90, second.envelope[90]! ^ 1) }],
    ]
    for (const pair of innocent)
      assert.throws(
        () => on.verifyDoubleUse(pair, verifier),
        (error) => isFault(error, 'threshold/evidence-rejected'),
      )
  })

  test('nothing of it can be stored, copied or brought back', () => {
    const presignature = presigned(stage, 'snapshot').get(ONE)![0]!
    const secrets = presignature.take()
    const share = secrets.sign(digest('m'))
    assert.ok(share > 0n)
    assert.throws(
      () => secrets.sign(digest('another')),
      (error) => isFault(error, 'threshold/presignature-used'),
    )
    const fresh = presigned(stage, 'snapshot').get(ONE)![0]!
    assert.throws(() => JSON.stringify(fresh), TypeError)
    for (const copy of [
      structuredClone(fresh),
      Object.assign({}, fresh) as object,
      Object.assign(Object.create(Object.getPrototypeOf(fresh)), fresh) as object,
    ]) {
      assert.ok(!('k' in copy) && !('chi' in copy))
      assert.throws(() => (copy as Presignature).take(), TypeError)
    }
    assert.ok(!fresh.isUsed)
  })

  test('a pool forgets what was made with a signer that has started anew', () => {
    const pool = new PresignaturePool(4)
    const bootIds = new Map<PartyId, string>([
      [ONE, 'a'],
      [TWO, 'b'],
    ])
    const key = { wallet: 'w', generation: 1, bootIds }
    const [presignature] = presigned(stage, 'pool').get(ONE)!
    pool.add(key, 's', [presignature!])
    pool.partyStarted(TWO, 'c')
    assert.equal(pool.size, 0)
    assert.ok(presignature!.isUsed)
    assert.throws(
      () => presignature!.take(),
      (error) => isFault(error, 'threshold/presignature-used'),
    )
  })
})

describe('a digest chosen when the nonce is known', () => {
  /**
   * Signs a digest that makes the signature one for `target`, of c·Γ in place of Γ (eprint 2021/1330,
   * §1.1.2): h = h*·r/r*.
   */
  const forge = (on: Stage): boolean => {
    const made = presigned(on, 'chosen')
    const { Gamma } = made.get(ONE)![0]!.public
    const nonce = (c: bigint): bigint =>
      mod(fromBytesBe(on.secp256k1.encode(on.secp256k1.mul(c, Gamma)).subarray(1)), order)
    const c = 7n
    const [r, rTarget] = [nonce(1n), nonce(c)]
    const target = fromBytesBe(digest('never asked for'))
    const chosen = toUnsignedBytes(mod(target * r * inverse(rTarget, order), order), 32)
    const scene = on.onlineScene(made, 'chosen', (presignature) => ({
      kind: 'bound',
      presignature,
      message: { kind: 'prehash', digest: chosen } as never,
    }))
    const [, s] = scalarsOf([...outputsOf(on.play(scene)).values()][0]![0]!)
    return isSigned(
      'never asked for',
      rTarget,
      mod(s * rTarget * inverse(mod(r * c, order), order), order),
    )
  }

  test('is not signed', () => {
    assert.throws(
      () => forge(stage),
      (error) => isFault(error, 'threshold/bad-parameters'),
    )
  })

  test('is a forgery', async () => {
    const on = await stageWithout({
      file: `${dist}/sign/checks.js`,
      guard: "kind === 'bound' && message.kind !== 'message'",
      instead: 'false',
    })
    assert.ok(forge(on))
  })
})
