/**
 * Writes test/vectors/cggmp24/*.json: proofs that must be accepted and proofs that must be refused,
 * from a fixed source of randomness, so that they come out the same everywhere. `--check` writes
 * nothing and fails when a file is not what would be written; names of proofs restrict it to those.
 * The format stands in test/vectors/cggmp24/README.md.
 */
import { createHash } from 'node:crypto'
import { encode, toHex } from '../packages/base/dist/src/index.js'
import {
  PaillierKey,
  RingPedersen,
  secp256k1,
  Transcript,
  toUnsignedBytes,
} from '../packages/math/dist/src/index.js'
import { ProofTranscript } from '../packages/threshold/dist/src/cggmp24/challenge.js'
import { LEVELS } from '../packages/threshold/dist/src/cggmp24/level.js'
import { modulusLength, squareLength } from '../packages/threshold/dist/src/cggmp24/wire.js'
import { testKeys } from '../packages/threshold/dist/src/testing/index.js'
import { CLAIMS } from './cggmp24-claims.mjs'
import { writeOrCheck } from './generated.mjs'

await useFastIntegers()

const sha256 = (...parts) => {
  const hash = createHash('sha256')
  for (const part of parts) hash.update(part)
  return new Uint8Array(hash.digest())
}

/** SHA-256(seed ‖ 0) ‖ SHA-256(seed ‖ 1) ‖ …, counters in four bytes, big-endian. */
function stream(seed) {
  let [counter, rest] = [0, new Uint8Array()]
  return {
    bytes(length) {
      while (rest.length < length) {
        const number = Buffer.alloc(4)
        number.writeUInt32BE(counter++)
        rest = Buffer.concat([rest, sha256(seed, number)])
      }
      const taken = Uint8Array.from(rest.subarray(0, length))
      rest = rest.subarray(length)
      return taken
    },
  }
}

/** Both levels for proofs that are small; m repetitions are published once. */
const levelsOf = ({ packed }) =>
  packed === undefined ? Object.values(LEVELS) : [Object.values(LEVELS)[0]]

function fileOf(proof, definition) {
  const cases = []
  for (const level of levelsOf(definition)) {
    const bits = level.id.includes('-128-') ? 128 : 112
    const good = definition.valid.map((options, i) =>
      caseOf(proof, definition, level, `${bits} valid ${i + 1}`, options),
    )
    cases.push(...good.map(({ json }) => json))
    for (const [name, reason, options] of definition.untrue ?? []) {
      const { json } = caseOf(proof, definition, level, `${bits} ${name}`, options)
      cases.push({ ...json, isValid: false, reason })
    }
    for (const [name, reason, changes] of definition.invalid)
      cases.push({
        name: `${bits} ${name}`,
        of: good[0].json.name,
        isValid: false,
        reason,
        patch: Object.entries(changes).map(([place, change]) => {
          const path = place.replace('last', level.repetitions - 1)
          return { path, value: changed(good[0], path, change, level) }
        }),
      })
  }
  const { figure } = definition
  return {
    proof,
    paper: `eprint 2021/060, revision of 2024-10${figure === undefined ? '' : `, figure ${figure}`}`,
    transcript: ['bytes:context', ...definition.transcript],
    challenge: definition.challenge,
    cases,
  }
}

/** A proof of a claim, as JSON, and the claim. */
function caseOf(proof, definition, level, name, options) {
  const seed = `quorate cggmp24 vectors ${proof} ${name}`
  const setup = { level, context: sha256(`${seed} context`), prover: 1, verifier: 2 }
  const { statement, witness } = definition.claim(level, stream(`${seed} claim`), options)
  const heard = listen()
  const made = definition.prove(setup, statement, witness, stream(`${seed} proof`))
  const { seed: challengeSeed, challenge } = heard()
  const codec = definition.codec(level)
  const encoded = encode(codec, made)
  const json = {
    name,
    level: level.id,
    isValid: true,
    seed,
    context: toHex(setup.context),
    i: setup.prover,
    ...(definition.isDirected ? { j: setup.verifier } : {}),
    statement: statementJson(level, definition, statement),
    ...witnessJson(witness),
    challengeSeed: toHex(challengeSeed),
    challenge: challengeJson(challenge),
    proof: proofJson(level, definition, codec.toCbor(made), made),
    cbor: { length: encoded.length, sha256: toHex(sha256(encoded)) },
  }
  return { json, statement }
}

/** Records what the next proof hashes and which challenges it gets. */
function listen() {
  const heard = {}
  const restore = []
  const wrap = (prototype, name, note) => {
    const original = prototype[name]
    prototype[name] = function (...args) {
      const result = original.apply(this, args)
      note(result)
      return result
    }
    restore.push(() => (prototype[name] = original))
  }
  wrap(Transcript.prototype, 'digest', (seed) => (heard.seed ??= seed))
  // The last to return is the outermost: a centred scalar is made from a plain one.
  for (const name of ['scalar', 'centredScalar', 'halfWidth', 'bits', 'units'])
    wrap(ProofTranscript.prototype, name, (challenge) => (heard.challenge = challenge))
  return () => {
    for (const undo of restore.reverse()) undo()
    return heard
  }
}

const challengeJson = (challenge) => {
  if (typeof challenge === 'bigint') return String(challenge)
  return typeof challenge[0] === 'boolean'
    ? challenge.map((bit) => (bit ? '1' : '0')).join('')
    : challenge.map(String)[0]
}

function statementJson(level, { names }, statement) {
  const [short, long] = [modulusLength(level), squareLength(level)]
  const json = {}
  for (const [name, value] of Object.entries(statement)) {
    if (value instanceof RingPedersen)
      for (const [label, each] of [
        ['Nhat', value.n],
        ['s', value.s],
        ['t', value.t],
      ])
        json[label] = toHex(toUnsignedBytes(each, short))
    else if (value instanceof PaillierKey)
      json[names[name]] = toHex(toUnsignedBytes(value.n, short))
    else if (typeof value === 'number') json[names[name]] = value
    else if (typeof value === 'bigint') json[name] = toHex(toUnsignedBytes(value, long))
    else if (value instanceof Uint8Array) json[name] = toHex(value)
    else json[name] = toHex(secp256k1.encode(value))
  }
  return json
}

/** Signed decimals; keys are those of keys.json and do not stand here again. */
const witnessJson = (witness) => {
  const numbers = Object.entries(witness).filter(([, value]) => typeof value === 'bigint')
  if (witness instanceof RingPedersen || numbers.length === 0) return {}
  return { witness: Object.fromEntries(numbers.map(([name, value]) => [name, String(value)])) }
}

/** Each field by its name, as hex of its wire form; a packed one as a list. */
function proofJson(level, { packed = [] }, fields, made) {
  const json = {}
  for (const [i, name] of Object.keys(made).entries()) {
    const all = fields.get(i + 1)
    const length = all.length / level.repetitions
    json[name] = packed.includes(name)
      ? Array.from({ length: level.repetitions }, (_, k) =>
          toHex(all.subarray(k * length, (k + 1) * length)),
        )
      : toHex(all)
  }
  return json
}

/** What stands at the path after the change; `null` where nothing does. */
function changed({ json, statement }, path, change, level) {
  const before = path.split('.').reduce((at, name) => at[name], json)
  if (typeof change === 'number') return change
  if (typeof change === 'function') return changedHex(before, change(statement, level))
  if (typeof change === 'bigint') return changedHex(before, change)
  if (change === 'drop') return null
  if (change === '+1') return changedHex(before, BigInt(`0x${before}`) + 1n)
  const bytes = Buffer.from(before, 'hex')
  if (change === 'flip') bytes[0] ^= 1
  else if (change === 'flip-first-bit') bytes[0] ^= 128
  else bytes.fill(0, 1).writeUInt8(5, bytes.length - 1)
  return bytes.toString('hex')
}

const changedHex = (before, value) => {
  const hex = value.toString(16).padStart(before.length, '0')
  if (hex.length !== before.length) throw new Error('a patch does not fit its field')
  return hex
}

function keysFile() {
  const keys = {}
  for (const level of Object.values(LEVELS))
    keys[level.id] = [1, 2].map((party) => {
      const { paillier, ringPedersen } = testKeys(party, level)
      const [N, Nhat] = [paillier.factors, ringPedersen.factors]
      const numbers = { p: N.p.n, q: N.q.n, N: N.n, pHat: Nhat.p.n, qHat: Nhat.q.n, Nhat: Nhat.n }
      const { s, t, lambda } = ringPedersen
      const hex = Object.entries({ ...numbers, s, t, lambda }).map(([name, value]) => [
        name,
        value.toString(16),
      ])
      return { party, ...Object.fromEntries(hex) }
    })
  return { warning: 'TEST ONLY: everybody knows these keys.', keys }
}

/** OpenSSL's arithmetic where it can be used: the numbers are the same. */
async function useFastIntegers() {
  const native = await import('../packages/math/dist/native/index.js')
  native.useFastIntegers()
}

const chosen = process.argv.slice(2).filter((arg) => !arg.startsWith('-'))
const write = (name, value) =>
  writeOrCheck(`test/vectors/cggmp24/${name}.json`, `${JSON.stringify(value, undefined, 1)}\n`)

if (chosen.length === 0) write('keys', keysFile())
for (const [proof, definition] of Object.entries(CLAIMS))
  if (chosen.length === 0 || chosen.includes(proof)) write(proof, fileOf(proof, definition))
