/**
 * The published vectors, read as their README tells: every valid proof verifies, every other is
 * refused, and the challenges follow from the transcripts that the files write down.
 */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { describe, test } from 'node:test'
import { sha256 } from '@noble/hashes/sha2.js'
import {
  type Cbor,
  type Codec,
  concatBytes,
  encode,
  field,
  fromHex,
  isFault,
  record,
  toHex,
  utf8,
} from '@quorate/base'
import { type Element, fromBytesBe, gcd, PaillierKey, RingPedersen, secp256k1 } from '@quorate/math'
import { useFastIntegers } from '@quorate/math/native'
import { LEVELS, type Level, levelOf } from '#src/cggmp24/level.js'
import { affGProof, verifyAffG } from '#src/cggmp24/proofs/aff-g.js'
import { affGStarProof, verifyAffGStar } from '#src/cggmp24/proofs/aff-g-star.js'
import { decProof, verifyDec } from '#src/cggmp24/proofs/dec.js'
import { elogProof, verifyElog } from '#src/cggmp24/proofs/elog.js'
import { encElgProof, verifyEncElg } from '#src/cggmp24/proofs/enc-elg.js'
import { facProof, verifyFac } from '#src/cggmp24/proofs/fac.js'
import { modProof, verifyMod } from '#src/cggmp24/proofs/mod.js'
import { prmProof, verifyPrm } from '#src/cggmp24/proofs/prm.js'
import { verifySch } from '#src/cggmp24/proofs/sch.js'
import type { DirectedSetup } from '#src/cggmp24/proofs/setup.js'
import { point, scalar } from '#src/cggmp24/wire.js'
import { partyId } from '#src/session/party.js'
import { testKeys } from '#src/testing/index.js'
import { projectPath } from '../vectors.js'

useFastIntegers()

type Json = { readonly [name: string]: unknown }
type Line = string | readonly string[]
type Case = {
  readonly name: string
  readonly level: string
  readonly isValid: boolean
  readonly context: string
  readonly i: number
  readonly j?: number
  readonly statement: Json
  readonly challengeSeed: string
  readonly challenge: string
  readonly proof: { readonly [name: string]: string | readonly string[] }
  readonly cbor: { readonly length: number; readonly sha256: string }
}
type Patched = {
  readonly name: string
  readonly of: string
  readonly isValid: false
  readonly patch: readonly { readonly path: string; readonly value: string | number | null }[]
}
type File = {
  readonly proof: string
  readonly transcript: readonly Line[]
  readonly challenge: string
  readonly cases: readonly (Case | Patched)[]
}

const read = <T>(name: string): T =>
  JSON.parse(readFileSync(projectPath(`test/vectors/cggmp24/${name}.json`), 'utf8')) as T

const bytesOf = (json: unknown): Uint8Array => fromHex(json as string)
const integer = (json: unknown): bigint => fromBytesBe(bytesOf(json))
const element = (json: unknown): Element => secp256k1.decode(bytesOf(json))
const key = (json: unknown): PaillierKey => PaillierKey.of(integer(json))
const bit = (json: unknown): 0 | 1 => json as 0 | 1
const parameters = ({ Nhat, s, t }: Json): RingPedersen =>
  new RingPedersen(key(Nhat).modulus, integer(s), integer(t))

/** A proof's wire form, and whether a statement in JSON holds by a proof in that form. */
type Reader = {
  readonly codec: (level: Level) => Codec<unknown>
  readonly verify: (setup: DirectedSetup, statement: Json, proof: Cbor) => boolean
}
const reader = <P>(
  codec: (level: Level) => Codec<P>,
  verify: (setup: DirectedSetup, statement: Json, proof: P) => boolean,
): Reader => ({
  codec,
  verify: (setup, statement, proof) =>
    verify(setup, statement, codec(setup.level).fromCbor(proof, 'proof')),
})

const READERS: { readonly [proof: string]: Reader } = {
  sch: reader(
    () => record({ A: field(1, point), z: field(2, scalar) }),
    (setup, { k, rid, X }, { A, z }) =>
      verifySch(setup, { instance: k as number, rid: bytesOf(rid), X: element(X) }, A, z),
  ),
  elog: reader(elogProof, (setup, { inst, L, M, X, Y, H }, proof) => {
    const points = { L: element(L), M: element(M), X: element(X), Y: element(Y), H: element(H) }
    return verifyElog(setup, { instance: bit(inst), ...points }, proof)
  }),
  'enc-elg': reader(encElgProof, (setup, s, proof) => {
    const points = { A: element(s['A']), B: element(s['B']), X: element(s['X']) }
    const keys = { verifierParameters: parameters(s), key: key(s['N_i']) }
    const statement = { instance: bit(s['inst']), ...keys, C: integer(s['C']), ...points }
    return verifyEncElg(setup, statement, proof)
  }),
  'aff-g': reader(affGProof, (setup, s, proof) =>
    verifyAffG(setup, { verifierParameters: parameters(s), ...product(s) }, proof),
  ),
  'aff-g-star': reader(affGStarProof, (setup, s, proof) => {
    const heading = { receiver: partyId(s['j'] as number), view: bytesOf(s['view']) }
    return verifyAffGStar(setup, { ...heading, ...product(s) }, proof)
  }),
  prm: reader(prmProof, (setup, s, proof) =>
    verifyPrm(setup, { parameters: parameters(s) }, proof),
  ),
  mod: reader(modProof, (setup, { rho, N }, proof) =>
    verifyMod(setup, { rho: bytesOf(rho), key: key(N) }, proof),
  ),
  fac: reader(facProof, (setup, s, proof) => {
    const keys = { verifierParameters: parameters(s), key: key(s['N_i']) }
    return verifyFac(setup, { rho: bytesOf(s['rho']), ...keys }, proof)
  }),
  dec: reader(decProof, (setup, { inst, view, n, N_i, K, D, X, S, G }, proof) => {
    const heading = { instance: bit(inst), view: bytesOf(view), signers: n as number }
    const points = { X: element(X), S: element(S), G: element(G) }
    const statement = { ...heading, key: key(N_i), K: integer(K), D: integer(D), ...points }
    return verifyDec(setup, statement, proof)
  }),
}

const product = ({ inst, N_j, N_i, C, D, Y, X }: Json) => ({
  instance: bit(inst),
  receiverKey: key(N_j),
  proverKey: key(N_i),
  C: integer(C),
  D: integer(D),
  Y: integer(Y),
  X: element(X),
})

/** Whether a case is accepted; what cannot be decoded is refused. */
function isAccepted({ verify }: Reader, of: Case): boolean {
  const level = levelOf(of.level)
  const { context, i, j = 1, statement } = of
  try {
    const setup = { level, context: bytesOf(context), prover: partyId(i), verifier: partyId(j) }
    return verify(setup, statement, wireForm(of))
  } catch (error) {
    assert.ok(isFault(error) && /^(base\/malformed|math\/)/.test(error.code))
    return false
  }
}

const wireForm = ({ proof }: Case): Cbor =>
  new Map(
    Object.values(proof).map((value, i) => [
      i + 1,
      typeof value === 'string' ? bytesOf(value) : concatBytes(...value.map(bytesOf)),
    ]),
  )

function patched(of: Case, { patch }: Patched): Case {
  const copy = structuredClone(of)
  for (const { path, value } of patch) {
    const names = path.split('.')
    const last = names.pop()!
    const place = names.reduce((at, name) => at[name] as Record<string, unknown>, copy as Json)
    assert.notEqual((place as Json)[last], value)
    if (value === null) (place as unknown as unknown[]).pop()
    else (place as Record<string, unknown>)[last] = value
  }
  return copy
}

const uint32 = (value: number): Uint8Array => {
  const out = new Uint8Array(4)
  new DataView(out.buffer).setUint32(0, value)
  return out
}
const short = (text: string): Uint8Array => concatBytes(Uint8Array.of(text.length), utf8(text))

/** The bytes of one line of a transcript, the k-th of a repeated one. */
function lineBytes(line: string, of: Case, k?: number): Uint8Array {
  const [, kind, label, path] = /^(\w+):(\w+)(?:=(.+))?$/.exec(line)!
  const names = (path ?? (label! in of ? label! : `statement.${label}`)).split('.')
  const found = names.reduce<unknown>((at, name) => (at as Json)[name], of)
  const value = k === undefined ? found : (found as readonly string[])[k]
  const encoded = kind === 'number' ? uint32(value as number) : bytesOf(value)
  const code = { bytes: 1, integer: 1, number: 2, element: 4 }[kind!]!
  return concatBytes(Uint8Array.of(code), short(label!), uint32(encoded.length), encoded)
}

function challengeSeed({ proof, transcript }: File, of: Case): Uint8Array {
  const lines = transcript.flatMap((line) => {
    if (typeof line === 'string') return [lineBytes(line, of)]
    return Array.from({ length: levelOf(of.level).repetitions }, (_, k) =>
      concatBytes(...line.map((each) => lineBytes(each, of, k))),
    )
  })
  return sha256(concatBytes(utf8('quorate/transcript/v1'), short(`cggmp24-${proof}`), ...lines))
}

/** The challenge of a seed as the files write it. */
function challenge(kind: string, seed: Uint8Array, of: Case): string {
  let [counter, rest] = [0, new Uint8Array()]
  const below = (bound: bigint): bigint => {
    const bits = (bound - 1n).toString(2).length
    const length = Math.ceil(bits / 8)
    for (;;) {
      while (rest.length < length)
        rest = concatBytes(
          rest,
          sha256(concatBytes(utf8('quorate/challenge/v1'), seed, uint32(counter++))),
        ) as Uint8Array<ArrayBuffer>
      const value = fromBytesBe(rest.subarray(0, length)) >> BigInt(8 * length - bits)
      rest = rest.subarray(length)
      if (value < bound) return value
    }
  }
  const q = secp256k1.order
  if (kind === 'scalar') return String(below(q))
  if (kind === 'centred') return String(below(q) - (q - 1n) / 2n)
  if (kind === 'half-width') return String(below((1n << 256n) + 1n) - (1n << 255n))
  const { repetitions } = levelOf(of.level)
  if (kind === 'bits') return Array.from({ length: repetitions }, () => below(2n)).join('')
  assert.equal(kind, 'units')
  const n = integer(of.statement['N'])
  for (;;) {
    const unit = below(n)
    if (unit !== 0n && gcd(unit, n) === 1n) return String(unit)
  }
}

describe('published vectors', () => {
  for (const [name, proofReader] of Object.entries(READERS))
    test(name, () => {
      const file = read<File>(name)
      assert.equal(file.proof, name)
      const cases = new Map<string, Case>()
      let refused = 0
      for (const each of file.cases) {
        const of = 'of' in each ? patched(cases.get(each.of)!, each) : each
        assert.equal(isAccepted(proofReader, of), each.isValid, each.name)
        if (!each.isValid) refused++
        if ('of' in each) continue
        cases.set(each.name, each)
        const codec = proofReader.codec(levelOf(each.level))
        const encoded = encode(codec, codec.fromCbor(wireForm(each), 'proof'))
        assert.equal(encoded.length, each.cbor.length)
        assert.equal(toHex(sha256(encoded)), each.cbor.sha256)
        const seed = challengeSeed(file, each)
        assert.equal(toHex(seed), each.challengeSeed)
        assert.equal(challenge(file.challenge, seed, each), each.challenge)
      }
      assert.ok(cases.size > 0 && refused >= 5)
    })

  test('are over the keys that keys.json says', () => {
    const { keys } = read<{ keys: { [level: string]: readonly Json[] } }>('keys')
    for (const level of Object.values(LEVELS))
      for (const each of keys[level.id]!) {
        const { paillier, ringPedersen } = testKeys(partyId(each['party'] as number), level)
        assert.equal(BigInt(`0x${String(each['N'])}`), paillier.n)
        for (const name of ['s', 't', 'lambda'] as const)
          assert.equal(BigInt(`0x${String(each[name])}`), ringPedersen[name])
      }
  })
})
