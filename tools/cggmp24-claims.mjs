/**
 * What the published vectors of CGGMP24 prove: for each proof its transcript, its wire fields, true
 * statements with their witnesses, and what is changed about them so that they must be refused.
 * Written to JSON by cggmp24-vectors.mjs; the format stands in test/vectors/cggmp24/README.md.
 */
import { field, record } from '../packages/base/dist/src/index.js'
import { secp256k1 } from '../packages/math/dist/src/index.js'
import * as affG from '../packages/threshold/dist/src/cggmp24/proofs/aff-g.js'
import * as affGStar from '../packages/threshold/dist/src/cggmp24/proofs/aff-g-star.js'
import * as dec from '../packages/threshold/dist/src/cggmp24/proofs/dec.js'
import * as elog from '../packages/threshold/dist/src/cggmp24/proofs/elog.js'
import * as encElg from '../packages/threshold/dist/src/cggmp24/proofs/enc-elg.js'
import * as fac from '../packages/threshold/dist/src/cggmp24/proofs/fac.js'
import * as mod from '../packages/threshold/dist/src/cggmp24/proofs/mod.js'
import * as prm from '../packages/threshold/dist/src/cggmp24/proofs/prm.js'
import * as sch from '../packages/threshold/dist/src/cggmp24/proofs/sch.js'
import { point, scalar } from '../packages/threshold/dist/src/cggmp24/wire.js'
import { testKeys } from '../packages/threshold/dist/src/testing/index.js'

const G = secp256k1.generator
const q = secp256k1.order
const times = (k, element = G) => secp256k1.mulSecret(k, element)
const plus = (a, b) => secp256k1.add(a, b)
/** Uniform in −(q−1)/2..(q−1)/2, 0 left out. */
const centred = (random) => {
  const k = secp256k1.randomScalar(random)
  return k > q >> 1n ? k - q : k
}
const own = (level) => testKeys(1, level)
const peer = (level) => testKeys(2, level)

/** The lines of a transcript. */
const lines = (...texts) => texts.join(' ').split(' ')

/** Patches that every proof is refused with: [name, reason, changes]. */
const wrongSetup = (isDirected) => [
  ['another context', 'the proof belongs to another session', { context: 'flip' }],
  ['another prover', 'the proof is somebody else’s', { i: 3 }],
  ...(isDirected ? [['another verifier', 'the proof is for somebody else', { j: 3 }]] : []),
]

export const CLAIMS = {
  sch: {
    figure: 22,
    transcript: lines('bytes:rid number:i number:k element:X element:A=proof.A'),
    challenge: 'scalar',
    codec: () => record({ A: field(1, point), z: field(2, scalar) }),
    names: { instance: 'k' },
    claim: (_level, random, { x = secp256k1.randomScalar(random) }) => ({
      statement: { instance: 0, rid: random.bytes(32), X: times(x) },
      witness: { x },
    }),
    prove(setup, statement, witness, random) {
      const commitment = sch.commitSch(random)
      return { A: commitment.A, z: sch.respondSch(setup, statement, commitment, witness) }
    },
    valid: [{ x: 1n }, {}, { x: q - 1n }],
    invalid: [
      ...wrongSetup(false),
      ['z + 1', 'z·G = A + e·X fails', { 'proof.z': '+1' }],
      ['another rid', 'the challenge is another', { 'statement.rid': 'flip' }],
      ['another index', 'the challenge is another', { 'statement.k': 1 }],
      ['z = q', 'a scalar is below q', { 'proof.z': q }],
      ['X no point', 'x = 5 is on no point of the curve', { 'statement.X': 'no-point' }],
    ],
  },
  elog: {
    figure: 23,
    transcript: lines(
      'number:i number:inst element:L element:M element:X element:Y element:H',
      'element:A=proof.A element:N=proof.N element:B=proof.B',
    ),
    challenge: 'scalar',
    codec: elog.elogProof,
    names: { instance: 'inst' },
    claim(_level, random, { y = centred(random), lambda = centred(random), inst = 0, wrong }) {
      const [X, H] = [times(centred(random)), inst === 0 ? G : times(centred(random))]
      const M = plus(times(y), times(lambda, X))
      const Y = plus(times(y, H), wrong === 'Y' ? G : secp256k1.identity)
      const L = plus(times(lambda), wrong === 'L' ? G : secp256k1.identity)
      return { statement: { instance: inst, L, M, X, Y, H }, witness: { y, lambda } }
    },
    prove: elog.proveElog,
    valid: [{}, { inst: 1 }, { inst: 1, y: 1n, lambda: -1n }],
    untrue: [
      ['Y of another y', 'u·H = B + e·Y fails, and nothing else', { wrong: 'Y', inst: 1 }],
      ['L of another λ', 'z·G = A + e·L fails, and nothing else', { wrong: 'L', inst: 1 }],
    ],
    invalid: [
      ...wrongSetup(false),
      ['z + 1', 'the first two equations fail', { 'proof.z': '+1' }],
      ['u + 1', 'the last two equations fail', { 'proof.u': '+1' }],
      ['another instance', 'the challenge is another', { 'statement.inst': 1 }],
      ['B no point', 'x = 5 is on no point of the curve', { 'proof.B': 'no-point' }],
    ],
  },
  'enc-elg': {
    figure: 24,
    transcript: lines(
      'number:i number:j number:inst integer:Nhat integer:s integer:t integer:N_i',
      'integer:C element:A element:B element:X integer:S=proof.S integer:T=proof.T',
      'integer:D=proof.D element:Y=proof.Y element:Z=proof.Z',
    ),
    challenge: 'centred',
    isDirected: true,
    codec: encElg.encElgProof,
    names: { instance: 'inst', key: 'N_i' },
    claim(level, random, { x = centred(random), inst = 0, wrong = 0n }) {
      const key = own(level).paillier
      const [nonce, b, A] = [key.randomNonce(random), centred(random), times(centred(random))]
      const C = key.encrypt(x + wrong, nonce)
      const [B, X] = [times(b), plus(times(b, A), times(x))]
      const verifierParameters = peer(level).ringPedersen
      const statement = { instance: inst, verifierParameters, key, C, A, B, X }
      return { statement, witness: { x, nonce, b } }
    },
    prove: encElg.proveEncElg,
    valid: [{}, { inst: 1, x: -(q >> 1n) }, { x: 0n }],
    untrue: [
      ['x = 2^515', 'z1 is above 2^767, and nothing else is wrong', { x: 1n << 515n }],
      ['C of x + 1', 'enc(z1; z2) = D·C^e fails, and nothing else', { wrong: 1n }],
    ],
    invalid: [
      ...wrongSetup(true),
      ['another instance', 'the challenge is another', { 'statement.inst': 1 }],
      ['z2 + 1', 'enc(z1; z2) = D·C^e fails, and nothing else', { 'proof.z2': '+1' }],
      ['z3 + 1', 'com(z1, z3) = T·S^e fails, and nothing else', { 'proof.z3': '+1' }],
      ['w + 1', 'both equations of points fail, and nothing else', { 'proof.w': '+1' }],
      ['S = 0', 'S is no unit', { 'proof.S': 0n }],
      ['C = N', 'C is no unit', { 'statement.C': (s) => s.key.n }],
    ],
  },
  'aff-g': {
    figure: 25,
    transcript: lines(
      'number:i number:j number:inst integer:Nhat integer:s integer:t integer:N_j',
      'integer:N_i integer:C integer:D integer:Y element:X integer:A=proof.A',
      'element:B_x=proof.Bx integer:B_y=proof.By integer:E=proof.E integer:S=proof.S',
      'integer:F=proof.F integer:T=proof.T',
    ),
    challenge: 'centred',
    isDirected: true,
    codec: affG.affGProof,
    names: { instance: 'inst', receiverKey: 'N_j', proverKey: 'N_i' },
    claim(level, random, options) {
      const { statement, witness } = product(level, random, options)
      return {
        statement: { ...statement, verifierParameters: peer(level).ringPedersen },
        witness,
      }
    },
    prove: affG.proveAffG,
    valid: [{}, { inst: 1, x: q >> 1n, y: 1n << 1279n }, { y: 0n }],
    untrue: [
      ['x = 2^515', 'z1 is above 2^767, and nothing else is wrong', { x: 1n << 515n }],
      ['y = 2^1540', 'z2 is above 2^1791, and nothing else is wrong', { y: 1n << 1540n }],
      ['Y of y + 1', 'B_y·Y^e = enc_i(z2; wY) fails, and nothing else', { wrong: 'Y' }],
      ['D of y + 1', 'A·D^e = C^z1·enc_j(z2; w) fails, and nothing else', { wrong: 'D' }],
    ],
    invalid: [
      ...wrongSetup(true),
      ['another instance', 'the challenge is another', { 'statement.inst': 1 }],
      ['w + 1', 'A·D^e = C^z1·enc_j(z2; w) fails, and nothing else', { 'proof.w': '+1' }],
      ['wY + 1', 'B_y·Y^e = enc_i(z2; wY) fails, and nothing else', { 'proof.wY': '+1' }],
      ['z3 + 1', 'com(z1, z3) = E·S^e fails, and nothing else', { 'proof.z3': '+1' }],
      ['z4 + 1', 'com(z2, z4) = F·T^e fails, and nothing else', { 'proof.z4': '+1' }],
      ['wY = 0', 'wY is no unit', { 'proof.wY': 0n }],
      ['D = N', 'D is no unit', { 'statement.D': (s) => s.receiverKey.n }],
    ],
  },
  prm: {
    figure: 17,
    transcript: [...lines('number:i integer:Nhat integer:s integer:t'), lines('integer:A=proof.A')],
    challenge: 'bits',
    codec: prm.prmProof,
    packed: ['A', 'z'],
    names: {},
    claim: (level) => ({
      statement: { parameters: own(level).ringPedersen },
      witness: own(level).ringPedersen,
    }),
    prove: prm.provePrm,
    valid: [{}],
    invalid: [
      ...wrongSetup(false),
      ['z_1 + 1', 't^z_1 = A_1·s^e_1 fails', { 'proof.z.0': '+1' }],
      ['the last z + 1', 'the last repetition counts too', { 'proof.z.last': '+1' }],
      ['A_1 = 0', 'A_1 is no unit', { 'proof.A.0': 0n }],
      ['z_1 = N̂', 'z_1 is not below N̂', { 'proof.z.0': (s) => s.parameters.n }],
      [
        's negated',
        '−s is no power of t',
        { 'statement.s': (s) => s.parameters.n - s.parameters.s },
      ],
      ['one repetition less', 'there are m repetitions', { 'proof.z.last': 'drop' }],
    ],
  },
  mod: {
    figure: 16,
    transcript: lines('bytes:rho number:i integer:N integer:w=proof.w'),
    challenge: 'units',
    codec: mod.modProof,
    packed: ['x', 'z'],
    names: { key: 'N' },
    claim: (level, random) => ({
      statement: { rho: random.bytes(32), key: own(level).paillier },
      witness: own(level).paillier,
    }),
    prove: mod.proveMod,
    valid: [{}],
    invalid: [
      ...wrongSetup(false),
      ['another ρ', 'the challenges are others', { 'statement.rho': 'flip' }],
      ['w = 0', 'w is no unit', { 'proof.w': 0n }],
      ['w = 4', 'its Jacobi symbol is +1', { 'proof.w': 4n }],
      ['x_1 + 1', 'the fourth power of x_1 fails', { 'proof.x.0': '+1' }],
      ['the last z + 1', 'the N-th power of the last z fails', { 'proof.z.last': '+1' }],
      ['a_1 flipped', 'the fourth power of x_1 fails', { 'proof.a': 'flip-first-bit' }],
      ['one repetition less', 'there are m repetitions', { 'proof.x.last': 'drop' }],
    ],
  },
  fac: {
    figure: 26,
    transcript: lines(
      'bytes:rho number:i number:j integer:Nhat integer:s integer:t integer:N_i',
      'integer:P=proof.P integer:Q=proof.Q integer:A=proof.A integer:B=proof.B',
      'integer:T=proof.T',
    ),
    challenge: 'half-width',
    isDirected: true,
    codec: fac.facProof,
    names: { key: 'N_i' },
    claim: (level, random) => ({
      statement: {
        rho: random.bytes(32),
        verifierParameters: peer(level).ringPedersen,
        key: own(level).paillier,
      },
      witness: own(level).paillier,
    }),
    prove: fac.proveFac,
    valid: [{}, {}],
    invalid: [
      ...wrongSetup(true),
      ['another ρ', 'the challenge is another', { 'statement.rho': 'flip' }],
      ['z1 + 1', 'com(z1, w1) = A·P^e fails', { 'proof.z1': '+1' }],
      ['w2 + 1', 'com(z2, w2) = B·Q^e fails, and nothing else', { 'proof.w2': '+1' }],
      ['v + 1', 'Q^z1·t^v = T·s^(N·e) fails, and nothing else', { 'proof.v': '+1' }],
      ['T = 0', 'T is no unit', { 'proof.T': 0n }],
      [
        'another N',
        'the challenge is another',
        { 'statement.N_i': (_s, level) => peer(level).paillier.n },
      ],
    ],
  },
  dec: {
    figure: undefined,
    transcript: [
      ...lines(
        'number:i number:inst bytes:view number:n integer:N_i integer:K element:X',
        'integer:D element:S element:G',
      ),
      lines('integer:A=proof.A element:B=proof.B element:C=proof.C'),
    ],
    challenge: 'bits',
    codec: dec.decProof,
    packed: ['A', 'B', 'C', 'z', 'w', 'nu'],
    names: { instance: 'inst', signers: 'n', key: 'N_i' },
    claim(level, random) {
      const key = own(level).paillier
      const [x, k, sum] = [centred(random), centred(random), centred(random)]
      const K = key.encrypt(k, key.randomNonce(random))
      const D = key.encrypt(sum, key.randomNonce(random))
      const y = k * x + sum
      const base = times(centred(random))
      const S = times(y, base)
      const view = random.bytes(32)
      const statement = { instance: 1, view, signers: 3, key, K, D, X: times(x), S, G: base }
      return { statement, witness: { x, y, key } }
    },
    prove: dec.proveDec,
    valid: [{}],
    invalid: [
      ...wrongSetup(false),
      ['another view', 'the challenges are others', { 'statement.view': 'flip' }],
      ['more signers', 'the challenges are others', { 'statement.n': 4 }],
      ['z_1 + 1', 'z_1·G = C_1 + e_1·X fails', { 'proof.z.0': '+1' }],
      ['w_1 + 1', 'w_1·G′ = B_1 + e_1·S fails', { 'proof.w.0': '+1' }],
      ['the last ν + 1', 'the last Paillier equation fails', { 'proof.nu.last': '+1' }],
      ['ν_1 = 0', 'ν_1 is no unit', { 'proof.nu.0': 0n }],
      ['w_1 = 2^1954', 'w_1 is above 2^(W−1)', { 'proof.w.0': 1n << 1954n }],
    ],
  },
  'aff-g-star': {
    figure: undefined,
    transcript: [
      ...lines(
        'number:i number:j=statement.j number:inst bytes:view integer:N_j integer:N_i',
        'integer:C integer:D integer:Y element:X',
      ),
      lines('integer:A=proof.A element:B=proof.B integer:E=proof.E'),
    ],
    challenge: 'bits',
    codec: affGStar.affGStarProof,
    packed: ['A', 'B', 'E', 'z', 'zPrime', 'w', 'wY'],
    names: { instance: 'inst', receiver: 'j', receiverKey: 'N_j', proverKey: 'N_i' },
    claim(level, random, options) {
      const { statement, witness } = product(level, random, options)
      return { statement: { ...statement, receiver: 2, view: random.bytes(32) }, witness }
    },
    prove: affGStar.proveAffGStar,
    valid: [{}],
    invalid: [
      ...wrongSetup(false),
      ['another receiver', 'the challenges are others', { 'statement.j': 3 }],
      ['another view', 'the challenges are others', { 'statement.view': 'flip' }],
      ['z_1 + 1', 'z_1·G = B_1 + e_1·X fails', { 'proof.z.0': '+1' }],
      ['w_1 + 1', 'A_1·D^e_1 = C^z_1·enc_j(z′_1; w_1) fails', { 'proof.w.0': '+1' }],
      ['the last wY + 1', 'the last equation under N_i fails', { 'proof.wY.last': '+1' }],
      ['z′_1 = 2^1792', 'z′_1 is above 2^1791', { 'proof.zPrime.0': 1n << 1792n }],
      ['E_1 = 0', 'E_1 is no unit', { 'proof.E.0': 0n }],
    ],
  },
}

/** D = Cˣ·enc_j(y), Y = enc_i(y), X = x·G; `wrong` names one of D and Y that holds y + 1. */
function product(level, random, { x = centred(random), y, inst = 0, wrong }) {
  const [receiverKey, proverKey] = [peer(level).paillier, own(level).paillier]
  const value = y ?? -(centred(random) * centred(random) * centred(random))
  const witness = {
    x,
    y: value,
    nonce: receiverKey.randomNonce(random),
    nonceY: proverKey.randomNonce(random),
  }
  const more = (name) => (wrong === name ? value + 1n : value)
  const C = receiverKey.encrypt(centred(random), receiverKey.randomNonce(random))
  const masked = receiverKey.encrypt(more('D'), witness.nonce)
  const D = receiverKey.add(receiverKey.multiply(C, x), masked)
  const Y = proverKey.encrypt(more('Y'), witness.nonceY)
  const statement = { instance: inst, receiverKey, proverKey, C, D, Y, X: times(x) }
  return { statement, witness }
}
