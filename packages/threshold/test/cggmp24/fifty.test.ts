/**
 * Fifty signatures at 128 bits, over several keys, sets of signers and paths, by every way of signing;
 * each from a presignature of its own.
 */
import assert from 'node:assert/strict'
import { after, describe, test } from 'node:test'
import { sha256 } from '@noble/hashes/sha2.js'
import { utf8 } from '@quorate/base'
import type { Presignature } from '#src/cggmp24/presign/presignature.js'
import type { Message, Prehash } from '#src/cggmp24/sign/message.js'
import type { OwnOnlineItem } from '#src/cggmp24/sign/online.js'
import type { EcdsaSignature } from '#src/cggmp24/sign/signature.js'
import { outputsOf, type TestWallet } from '#src/testing/index.js'
import { assertSigns, keyAt } from './signatures.js'
import {
  idsOf,
  L128,
  onlineScene,
  play,
  presignScene,
  type Scene,
  signScene,
  walletOf,
} from './stage.js'

const PATHS: readonly (readonly number[])[] = [[], [0], [44, 60, 0, 0, 7]]
const HASHES = ['sha256', 'keccak256', 'sha256d'] as const
const twoOfTwo = walletOf(L128, 'two of two', 2, 2)
const twoOfThree = walletOf(L128, 'two of three', 2, 3)
const threeOfFive = walletOf(L128, 'three of five', 3, 5)

let count = 0
const nonces = new Set<string>()

type Item = { readonly message: Message; readonly path: readonly number[] }
const itemsFor = (name: string, length: number): readonly Item[] =>
  Array.from({ length }, (_, i) => ({
    path: PATHS[i % PATHS.length]!,
    message: {
      kind: 'message',
      bytes: utf8(`${name} ${i}`),
      hash: HASHES[Math.floor(i / PATHS.length) % HASHES.length]!,
    },
  }))

/** What all signers got alike. */
function signaturesOf(scene: Scene<readonly EcdsaSignature[]>): readonly EcdsaSignature[] {
  const [first, ...others] = [...outputsOf(play(scene, { envelopes: false })).values()]
  for (const other of others) assert.deepEqual(other, first)
  return first!
}

function check(
  { key }: TestWallet,
  { message, path }: { readonly message: Message | Prehash; readonly path: readonly number[] },
  signature: EcdsaSignature,
  preimage?: Uint8Array,
): void {
  assertSigns(keyAt(key, path), message, signature, preimage)
  nonces.add(String(signature.bytes.subarray(0, 32)))
  count++
}

type Way = (wallet: TestWallet, signers: readonly number[], length: number, name: string) => void

const inOneRound: Way = (wallet, signers, length, name) => {
  const items = itemsFor(name, length)
  const presigning = presignScene(wallet, idsOf(...signers), name, { items })
  const made = outputsOf(play(presigning, { envelopes: false }))
  const use = (presignature: Presignature, i: number): OwnOnlineItem => ({
    kind: 'bound',
    presignature,
    message: items[i]!.message,
  })
  const signatures = signaturesOf(onlineScene(made, `${name} online`, use))
  for (const [i, signature] of signatures.entries()) check(wallet, items[i]!, signature)
}

const rerandomised: Way = (wallet, signers, length, name) => {
  const items = itemsFor(name, length)
  const presigning = presignScene(wallet, idsOf(...signers), name, {
    items: items.map(() => ({ path: [] })),
    isRerandomised: true,
  })
  const made = outputsOf(play(presigning, { envelopes: false }))
  // Every other one a digest.
  const digests = items.map(
    ({ message }): Prehash => ({
      kind: 'prehash',
      digest: sha256(message.bytes),
    }),
  )
  const signed = items.map(({ message, path }, i) => ({
    path,
    message: i % 2 === 0 ? message : digests[i]!,
  }))
  const use = (presignature: Presignature, i: number): OwnOnlineItem => ({
    kind: 'rerandomised',
    presignature,
    chainCode: wallet.key.chainCode,
    ...signed[i]!,
  })
  const signatures = signaturesOf(onlineScene(made, `${name} online`, use))
  for (const [i, signature] of signatures.entries())
    check(wallet, signed[i]!, signature, i % 2 === 0 ? undefined : items[i]!.message.bytes)
}

const interactively: Way = (wallet, signers, length, name) => {
  const items = itemsFor(name, length)
  const signatures = signaturesOf(signScene(wallet, idsOf(...signers), name, items))
  for (const [i, signature] of signatures.entries()) check(wallet, items[i]!, signature)
}

describe('fifty signatures at 128 bits', () => {
  test('2 of 2, in one round', () => inOneRound(twoOfTwo, [1, 2], 12, '2 of 2'))
  for (const signers of [
    [1, 2],
    [1, 3],
    [2, 3],
  ])
    test(`2 of 3 by ${signers.join(' and ')}, in one round`, () =>
      inOneRound(twoOfThree, signers, 8, `2 of 3, ${signers.join()}`))
  test('2 of 2, re-randomised', () => rerandomised(twoOfTwo, [1, 2], 8, 'late'))
  test('2 of 3, interactively', () => interactively(twoOfThree, [1, 3], 4, 'at once'))
  test('3 of 5, in one round', () => inOneRound(threeOfFive, [2, 4, 5], 2, '3 of 5'))
  after(() => {
    assert.equal(count, 50)
    assert.equal(nonces.size, count)
  })
})
