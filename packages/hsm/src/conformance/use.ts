/** Conformance: signing, encrypting and authenticating with keys of the provider. */
import { createHash, createPublicKey, verify as verifyNode } from 'node:crypto'
import { concatBytes, equalBytes, fromHex, toHex, utf8 } from '@quorate/base'
import { type EcdsaAlgorithm, toLowS } from '../ecdsa.ts'
import type { Encrypted, HsmProvider, KeyAlgorithm, KeyInfo } from '../provider.ts'
import {
  type ConformanceCheck,
  demand,
  flipped,
  keyCheck,
  MESSAGE,
  mustFail,
  OTHER_MESSAGE,
  withKeys,
} from './check.ts'

type SigningAlgorithm = EcdsaAlgorithm | 'ed25519'

/** DER of a SubjectPublicKeyInfo up to the key itself (RFC 8410; RFC 5480 with a compressed point). */
const SPKI: { readonly [A in SigningAlgorithm]: string } = {
  ed25519: '302a300506032b6570032100',
  p256: '3039301306072a8648ce3d020106082a8648ce3d030107032200',
  secp256k1: '3036301006072a8648ce3d020106052b8104000a032200',
}

function holds(key: KeyInfo, message: Uint8Array, signature: Uint8Array): boolean {
  const algorithm = key.algorithm as SigningAlgorithm
  const der = Buffer.from(concatBytes(fromHex(SPKI[algorithm]), key.publicKey ?? new Uint8Array()))
  const publicKey = createPublicKey({ key: der, format: 'der', type: 'spki' })
  const hash = algorithm === 'ed25519' ? null : 'sha256'
  return verifyNode(hash, message, { key: publicKey, dsaEncoding: 'ieee-p1363' }, signature)
}

const sha256 = (message: Uint8Array): Uint8Array =>
  new Uint8Array(createHash('sha256').update(message).digest())

/** Bytes of a message that is longer than what most transports take at once. */
const LONG = 5000

const signs = (algorithm: SigningAlgorithm): ConformanceCheck =>
  keyCheck(
    'signatures verify, here and elsewhere, and only for their message',
    algorithm,
    async (provider, key) => {
      const { maxEd25519Message = LONG } = algorithm === 'ed25519' ? await provider.info() : {}
      const length = Math.min(LONG, maxEd25519Message)
      for (const message of [MESSAGE, new Uint8Array(), new Uint8Array(length).fill(7)]) {
        const signature = await provider.sign(key.id, { message })
        demand(
          signature.length === 64 && holds(key, message, signature),
          'a signature does not verify',
        )
        demand(
          await provider.verify(key.id, { message }, signature),
          'the provider denies its own signature',
        )
        demand(
          !(await provider.verify(key.id, { message: OTHER_MESSAGE }, signature)),
          'a signature fits two messages',
        )
        demand(
          !(await provider.verify(key.id, { message }, flipped(signature, 40))),
          'a changed signature verifies',
        )
        demand(
          !(await provider.verify(key.id, { message }, signature.subarray(1))),
          'a short signature verifies',
        )
      }
      if (length < LONG)
        await mustFail('hsm/bad-argument', 'a longer message than it says', () =>
          provider.sign(key.id, { message: new Uint8Array(length + 1) }),
        )
    },
  )

const takesDigests = (algorithm: EcdsaAlgorithm): ConformanceCheck =>
  keyCheck(
    'digests of 32 bytes are signed as they are, with s in the lower half',
    algorithm,
    async (provider, key) => {
      const digest = sha256(MESSAGE)
      // Half of all raw signatures have a high s, so 16 good ones are no accident.
      for (let i = 0; i < 16; i++) {
        const signature = await provider.sign(key.id, { digest })
        demand(holds(key, MESSAGE, signature), 'message and digest give different signatures')
        demand(equalBytes(toLowS(algorithm, signature), signature), 's is in the upper half')
      }
      for (const length of [0, 20, 31, 33, 48, 64])
        await mustFail('hsm/bad-argument', `a digest of ${length} bytes`, () =>
          provider.sign(key.id, { digest: new Uint8Array(length) }),
        )
    },
  )

async function sealsAndOpens(provider: HsmProvider, key: KeyInfo): Promise<void> {
  const aad = utf8('context')
  const ivs = new Set<string>()
  for (let i = 0; i < 16; i++) ivs.add(toHex((await provider.encrypt(key.id, MESSAGE, aad)).iv))
  demand(ivs.size === 16, 'an IV is used twice')
  for (const length of [0, 1, 16, 4096]) {
    const plaintext = new Uint8Array(length).fill(3)
    const encrypted = await provider.encrypt(key.id, plaintext, aad)
    const more = encrypted.ciphertext.length - length
    // A tag, and of devices without GCM a whole block and a MAC.
    demand(more >= 16 && more <= 48, 'the ciphertext has another length')
    demand(
      equalBytes(await provider.decrypt(key.id, encrypted, aad), plaintext),
      'another plaintext comes back',
    )
  }
}

async function refusesToOpen(provider: HsmProvider, key: KeyInfo, other: KeyInfo): Promise<void> {
  const aad = utf8('context')
  const good = await provider.encrypt(key.id, MESSAGE, aad)
  const { iv, ciphertext } = good
  const cases: readonly (readonly [string, KeyInfo, Encrypted, Uint8Array])[] = [
    ['another key', other, good, aad],
    ['another context', key, good, utf8('other')],
    ['no context', key, good, new Uint8Array()],
    ['a changed ciphertext', key, { iv, ciphertext: flipped(ciphertext, 0) }, aad],
    ['a changed tag', key, { iv, ciphertext: flipped(ciphertext, -1) }, aad],
    ['a short tag', key, { iv, ciphertext: ciphertext.subarray(0, -1) }, aad],
    ['no tag', key, { iv, ciphertext: new Uint8Array() }, aad],
    ['a changed IV', key, { iv: flipped(iv, 0), ciphertext }, aad],
    ['no IV', key, { iv: new Uint8Array(), ciphertext }, aad],
  ]
  const messages = new Set<string>()
  for (const [what, by, encrypted, context] of cases) {
    const fault = await mustFail('hsm/cannot-open', what, () =>
      provider.decrypt(by.id, encrypted, context),
    )
    messages.add(fault.message)
  }
  demand(messages.size === 1, 'the message tells why opening failed')
}

const authenticates = keyCheck(
  'the same key and message give the same tag, others another',
  'hmac-sha256',
  async (provider, key) => {
    const tag = await provider.hmac(key.id, MESSAGE)
    demand(
      tag.length === 32 && equalBytes(tag, await provider.hmac(key.id, MESSAGE)),
      'two tags for one message',
    )
    demand(!equalBytes(tag, await provider.hmac(key.id, OTHER_MESSAGE)), 'one tag for two messages')
    await withKeys(provider, ['hmac-sha256'], async (other) => {
      demand(
        other !== undefined && !equalBytes(tag, await provider.hmac(other.id, MESSAGE)),
        'one tag under two keys',
      )
    })
  },
)

const USES: {
  readonly [use: string]: readonly [
    algorithms: readonly KeyAlgorithm[],
    run: (provider: HsmProvider, key: KeyInfo) => Promise<unknown>,
  ]
} = {
  sign: [
    ['ed25519', 'p256', 'secp256k1'],
    (provider, { id }) => provider.sign(id, { message: MESSAGE }),
  ],
  verify: [
    ['ed25519', 'p256', 'secp256k1'],
    (provider, { id }) => provider.verify(id, { message: MESSAGE }, new Uint8Array(64)),
  ],
  encrypt: [['aes-256'], (provider, { id }) => provider.encrypt(id, MESSAGE, MESSAGE)],
  decrypt: [
    ['aes-256'],
    (provider, { id }) =>
      provider.decrypt(id, { iv: new Uint8Array(12), ciphertext: new Uint8Array(16) }, MESSAGE),
  ],
  hmac: [['hmac-sha256'], (provider, { id }) => provider.hmac(id, MESSAGE)],
}

const servesOnePurpose = (algorithm: KeyAlgorithm): ConformanceCheck =>
  keyCheck('the key serves its one purpose only', algorithm, async (provider, key) => {
    for (const [use, [algorithms, run]] of Object.entries(USES))
      if (!algorithms.includes(algorithm))
        await mustFail('hsm/bad-argument', use, () => run(provider, key))
  })

export const useChecks: readonly ConformanceCheck[] = [
  signs('ed25519'),
  signs('p256'),
  signs('secp256k1'),
  takesDigests('p256'),
  takesDigests('secp256k1'),
  keyCheck('digests are refused', 'ed25519', async (provider, key) => {
    const digest = sha256(MESSAGE)
    await mustFail('hsm/bad-argument', 'signing a digest', () => provider.sign(key.id, { digest }))
    await mustFail('hsm/bad-argument', 'verifying a digest', () =>
      provider.verify(key.id, { digest }, new Uint8Array(64)),
    )
  }),
  keyCheck('what was sealed opens, each time under a new IV', 'aes-256', sealsAndOpens),
  {
    name: 'aes-256: what does not belong together does not open, and never says why',
    needs: ['aes-256'],
    run: (provider) =>
      withKeys(provider, ['aes-256', 'aes-256'], (key, other) =>
        refusesToOpen(provider, key as KeyInfo, other as KeyInfo),
      ),
  },
  authenticates,
  ...(['ed25519', 'p256', 'secp256k1', 'aes-256', 'hmac-sha256'] as const).map(servesOnePurpose),
  keyCheck('sixteen at once give sixteen right signatures', 'ed25519', async (provider, key) => {
    const messages = Array.from({ length: 16 }, (_, i) => Uint8Array.of(i))
    const signatures = await Promise.all(
      messages.map((message) => provider.sign(key.id, { message })),
    )
    demand(
      signatures.every((signature, i) => holds(key, messages[i] ?? MESSAGE, signature)),
      'a signature belongs to another message',
    )
  }),
]
