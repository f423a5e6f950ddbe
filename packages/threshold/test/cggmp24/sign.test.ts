import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { sha256 } from '@noble/hashes/sha2.js'
import { isFault, utf8 } from '@quorate/base'
import { secp256k1 } from '@quorate/math'
import {
  decodePresignature,
  encodePresignature,
  receivePresignature,
} from '#src/cggmp24/presign/codec.js'
import type { Presignature } from '#src/cggmp24/presign/presignature.js'
import { OnlineChecks } from '#src/cggmp24/sign/checks.js'
import type { Message, Prehash } from '#src/cggmp24/sign/message.js'
import type { OwnOnlineItem } from '#src/cggmp24/sign/online.js'
import type { EcdsaSignature } from '#src/cggmp24/sign/signature.js'
import type { PartyId } from '#src/session/party.js'
import { outputsOf } from '#src/testing/index.js'
import { assertSigns, keyAt } from './signatures.js'
import {
  idsOf,
  onlineScene,
  play,
  presignScene,
  type Scene,
  signScene,
  TESTED,
  walletOf,
} from './stage.js'

const wallet = walletOf(TESTED)
const CHILD = [44, 60, 0, 0, 7]
const message = (text: string, hash: Message['hash'] = 'sha256'): Message => ({
  kind: 'message',
  bytes: utf8(text),
  hash,
})
const prehash = (text: string): Prehash => ({ kind: 'prehash', digest: sha256(utf8(text)) })

/** What all signers got alike. */
function agreed<Out>(scene: Scene<Out>): Out {
  const [first, ...others] = [...outputsOf(play(scene)).values()]
  for (const other of others) assert.deepEqual(other, first)
  return first!
}
const signatures = (scene: Scene<readonly EcdsaSignature[]>): readonly EcdsaSignature[] =>
  agreed(scene)

describe('signing in one session', () => {
  test('messages and digests, at several paths', () => {
    const items = [
      { message: message('one'), path: [] },
      { message: message('two', 'keccak256'), path: CHILD },
      { message: prehash('three'), path: [3] },
    ]
    const made = signatures(signScene(wallet, idsOf(1, 3), 'interactive', items))
    assert.equal(made.length, 3)
    for (const [i, { message: signed, path }] of items.entries())
      assertSigns(keyAt(wallet.key, path), signed, made[i]!)
    assertSigns(keyAt(wallet.key, [3]), prehash('three'), made[2]!, utf8('three'))
  })

  test('by more signers than the threshold asks for', () => {
    const items = [{ message: message('all three'), path: CHILD }]
    const [made] = signatures(signScene(wallet, idsOf(1, 2, 3), 'all', items))
    assertSigns(keyAt(wallet.key, CHILD), items[0]!.message, made!)
  })

  test('three of five, not beginning with the first', () => {
    const five = walletOf(TESTED, 'five', 3, 5)
    const items = [{ message: message('three of five', 'sha256d'), path: [] }]
    const [made] = signatures(signScene(five, idsOf(2, 4, 5), 'five', items))
    assertSigns(five.key.groupKey, items[0]!.message, made!)
  })
})

describe('signing from presignatures', () => {
  const items = [{ path: [] }, { path: CHILD }, { path: [] }]
  const make = (name: string) => outputsOf(play(presignScene(wallet, idsOf(1, 2), name, { items })))

  test('in one round, for the paths that they were made for', () => {
    const made = make('bound')
    const ids = [...made.values()].map((all) => all.map(({ id }) => id))
    assert.deepEqual(ids[0], ids[1])
    assert.equal(new Set(ids[0]!.map(String)).size, items.length)
    const scene = onlineScene(made, 'one round', (presignature, i) => ({
      kind: 'bound',
      presignature,
      message: message(`bound ${i}`),
    }))
    for (const [i, signature] of signatures(scene).entries())
      assertSigns(keyAt(wallet.key, items[i]!.path), message(`bound ${i}`), signature)
    for (const all of made.values()) for (const { isUsed } of all) assert.ok(isUsed)
    assert.throws(
      () => scene.make(idsOf(1)[0]!),
      (error) => isFault(error, 'threshold/presignature-used'),
    )
  })

  test('in one round, re-randomised by a hash of all that is signed: paths that nobody knew before', () => {
    const use = [
      { message: message('from a pool', 'keccak256'), path: [] },
      { message: message('of a child'), path: CHILD },
    ]
    const made = outputsOf(
      play(presignScene(wallet, idsOf(1, 3), 'pooled', { items: use.map(() => ({ path: [] })) })),
    )
    const nonces = [...made.values()][0]!.map(({ public: of }) => secp256k1.encode(of.Gamma))
    const scene = onlineScene(made, 'pooled online', (presignature, i) => ({
      kind: 'derived',
      presignature,
      chainCode: wallet.key.chainCode,
      ...use[i]!,
    }))
    const signed = signatures(scene)
    for (const [i, { message: of, path }] of use.entries()) {
      assertSigns(keyAt(wallet.key, path), of, signed[i]!)
      assert.notDeepEqual(signed[i]!.bytes.subarray(0, 32), nonces[i]!.subarray(1))
    }
  })

  test('the hash moves the nonce with the session, the message and the path', () => {
    const { public: presignature } = [...make('moved').values()][0]![0]!
    const nonceOf = (sid: string, text: string, path: readonly number[]): string => {
      const { chainCode } = wallet.key
      const item = {
        kind: 'derived',
        presignature,
        message: message(text),
        chainCode,
        path,
      } as const
      const facts = { sid: sha256(utf8(sid)), signers: idsOf(1, 2), items: [item] }
      return String(new OnlineChecks(facts).nonces[0]!.factor)
    }
    const factors = [
      nonceOf('a', 'm', []),
      nonceOf('b', 'm', []),
      nonceOf('a', 'n', []),
      nonceOf('a', 'm', CHILD),
    ]
    assert.equal(new Set(factors).size, factors.length)
    assert.equal(nonceOf('a', 'm', []), factors[0])
  })

  test('in another thread than the one that made it', () => {
    const made = make('moves')
    const moved = new Map(
      [...made].map(([party, [one, two, three]]) => {
        const encoded = encodePresignature(two!.public)
        using secrets = two!.moveOut()
        const received = receivePresignature(decodePresignature(encoded), party, secrets)
        assert.deepEqual(received.id, two!.id)
        return [party, [one!, received, three!]]
      }),
    )
    for (const all of made.values()) assert.ok(all[1]!.isUsed)
    const scene = onlineScene(moved, 'moved online', (presignature, i) => ({
      kind: 'bound',
      presignature,
      message: message(`moved ${i}`),
    }))
    for (const [i, signature] of signatures(scene).entries())
      assertSigns(keyAt(wallet.key, items[i]!.path), message(`moved ${i}`), signature)
  })

  test('in two rounds, re-randomised: paths and digests that nobody knew before', () => {
    const use = [
      { message: message('late'), path: CHILD },
      { message: prehash('late digest'), path: [] },
    ]
    const more = { items: use.map(() => ({ path: [] })), isRerandomised: true }
    const made = outputsOf(play(presignScene(wallet, idsOf(2, 3), 'any path', more)))
    const scene = onlineScene(made, 'two rounds', (presignature, i) => ({
      kind: 'rerandomised',
      presignature,
      chainCode: wallet.key.chainCode,
      ...use[i]!,
    }))
    const [late, digest] = signatures(scene)
    assertSigns(keyAt(wallet.key, CHILD), use[0]!.message, late!)
    assertSigns(wallet.key.groupKey, use[1]!.message, digest!, utf8('late digest'))
  })

  test('a digest of others is refused for a presignature that is bound, and nothing is used up', () => {
    const made = make('refused')
    const withDigest = (presignature: Presignature): OwnOnlineItem => {
      const fixed = { kind: 'bound', presignature } as const
      // @ts-expect-error a digest is no message
      const item: OwnOnlineItem = { ...fixed, message: prehash('chosen with r in view') }
      return item
    }
    const scene = onlineScene(made, 'refused online', withDigest)
    const derived = onlineScene(made, 'refused derived', (presignature) => {
      const fixed = {
        kind: 'derived',
        presignature,
        chainCode: wallet.key.chainCode,
        path: [],
      } as const
      // @ts-expect-error a digest is no message
      const item: OwnOnlineItem = { ...fixed, message: prehash('chosen by somebody') }
      return item
    })
    const isRefused = (error: unknown): boolean => isFault(error, 'threshold/bad-parameters')
    for (const party of idsOf(1, 2)) {
      assert.throws(() => scene.make(party), isRefused)
      assert.throws(() => derived.make(party), isRefused)
    }
    for (const all of made.values()) for (const { isUsed } of all) assert.ok(!isUsed)

    const bound = onlineScene(made, 'wrong kind', (presignature) => ({
      kind: 'rerandomised',
      presignature,
      message: prehash('never committed to entropy'),
      chainCode: wallet.key.chainCode,
      path: [],
    }))
    assert.throws(() => bound.make(idsOf(1)[0]!), isRefused)

    const others = new Map([...made].map(([party, all], i) => [idsOf(1, 3)[i] ?? party, all]))
    const stranger = onlineScene(others, 'other signers', (presignature) => ({
      kind: 'bound',
      presignature,
      message: message('x'),
    }))
    for (const party of idsOf(1, 3)) assert.throws(() => stranger.make(party), isRefused)
    for (const all of made.values()) for (const { isUsed } of all) assert.ok(!isUsed)
  })

  test('one presignature for two items: refused, and nothing of it is left', () => {
    const made = make('twice')
    const twice = new Map(
      [...made].map(([party, [one]]): [PartyId, NonNullable<typeof one>[]] => [
        party,
        [one!, one!],
      ]),
    )
    const scene = onlineScene(twice, 'twice online', (presignature, i) => ({
      kind: 'bound',
      presignature,
      message: message(`${i}`),
    }))
    assert.throws(
      () => scene.make(idsOf(1)[0]!),
      (error) => isFault(error, 'threshold/presignature-used'),
    )
    assert.ok(made.get(idsOf(1)[0]!)![0]!.isUsed)
  })
})
