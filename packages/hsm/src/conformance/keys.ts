/** Conformance: making, finding and destroying keys, the random generator, and what the provider says of itself. */
import { equalBytes, isName, toHex } from '@quorate/base'
import type { HsmProvider, KeyAlgorithm } from '../provider.ts'
import {
  ABSENT,
  type ConformanceCheck,
  demand,
  keyCheck,
  LABEL,
  MESSAGE,
  mustFail,
  withKeys,
} from './check.ts'

const PUBLIC_KEY_BYTES: { readonly [A in KeyAlgorithm]: number | undefined } = {
  ed25519: 32,
  p256: 33,
  secp256k1: 33,
  'aes-256': undefined,
  'hmac-sha256': undefined,
}

const ALGORITHMS = Object.keys(PUBLIC_KEY_BYTES) as KeyAlgorithm[]

const lifeOfAKey = (algorithm: KeyAlgorithm): ConformanceCheck =>
  keyCheck(
    'a new key is safe, is found, and is gone once destroyed',
    algorithm,
    async (provider, key) => {
      demand(!key.isExtractable && key.isSensitive, 'a new key can be extracted')
      demand(
        key.label === LABEL && key.algorithm === algorithm,
        'a new key has other attributes than asked for',
      )
      const bytes = PUBLIC_KEY_BYTES[algorithm]
      demand(key.publicKey?.length === bytes, 'the public key has another form')
      if (key.publicKey === undefined)
        await mustFail('hsm/bad-argument', 'the public key of a secret key', () =>
          provider.publicKey(key.id),
        )
      else
        demand(
          equalBytes(await provider.publicKey(key.id), key.publicKey),
          'two public keys for one key',
        )
      const found = await provider.find({ id: key.id, label: LABEL })
      demand(found.id === key.id && found.algorithm === algorithm, 'another key is found')
      demand(
        (await provider.list()).some(({ id }) => id === key.id),
        'the key is not listed',
      )
      await mustFail('hsm/key-not-found', 'finding it under another label', () =>
        provider.find({ id: key.id, label: `${LABEL}-other` }),
      )
      await mustFail('hsm/label-mismatch', 'destroying it under another label', () =>
        provider.destroy(key.id, { label: `${LABEL}-other` }),
      )
      await provider.find({ id: key.id })
      await provider.destroy(key.id, { label: LABEL })
      await mustFail('hsm/key-not-found', 'finding a destroyed key', () =>
        provider.find({ id: key.id }),
      )
      demand(!(await provider.list()).some(({ id }) => id === key.id), 'a destroyed key is listed')
    },
  )

export const keyChecks: readonly ConformanceCheck[] = [
  {
    name: 'it says what it is and that it is well',
    needs: [],
    async run(provider) {
      const { type, name, algorithms } = await provider.info()
      demand(isName(type) && name.length > 0, 'no type or name')
      demand(
        algorithms.every((each) => ALGORITHMS.includes(each)),
        'an unknown algorithm',
      )
      demand((await provider.health()).state === 'ok', 'not healthy')
    },
  },
  ...ALGORITHMS.map(lifeOfAKey),
  keyCheck('an id is taken once, and the first key stays', 'ed25519', async (provider, key) => {
    await mustFail('hsm/key-exists', 'an id used twice', () =>
      provider.generateKey({ label: LABEL, algorithm: 'ed25519', id: key.id }),
    )
    const still = await provider.publicKey(key.id)
    demand(
      key.publicKey !== undefined && equalBytes(still, key.publicKey),
      'the first key was replaced',
    )
  }),
  {
    name: 'a label that two keys share finds neither',
    needs: ['ed25519'],
    run: (provider) =>
      withKeys(provider, ['ed25519', 'ed25519'], async (one, two) => {
        demand(one?.id !== two?.id, 'two keys with one id')
        await mustFail('hsm/key-ambiguous', 'a shared label', () => provider.find({ label: LABEL }))
      }),
  },
  {
    name: 'a key that is not there is refused by every operation',
    needs: [],
    async run(provider) {
      const input = { message: MESSAGE }
      const encrypted = { iv: new Uint8Array(12), ciphertext: new Uint8Array(16) }
      const operations: { readonly [name: string]: () => Promise<unknown> } = {
        find: () => provider.find({ id: ABSENT }),
        publicKey: () => provider.publicKey(ABSENT),
        sign: () => provider.sign(ABSENT, input),
        verify: () => provider.verify(ABSENT, input, new Uint8Array(64)),
        encrypt: () => provider.encrypt(ABSENT, MESSAGE, MESSAGE),
        decrypt: () => provider.decrypt(ABSENT, encrypted, MESSAGE),
        hmac: () => provider.hmac(ABSENT, MESSAGE),
        destroy: () => provider.destroy(ABSENT, { label: LABEL }),
      }
      for (const [name, operation] of Object.entries(operations))
        await mustFail('hsm/key-not-found', name, operation)
    },
  },
  {
    name: 'random bytes have the length asked for and differ',
    needs: [],
    async run(provider) {
      const seen = new Set<string>()
      for (let i = 0; i < 16; i++) seen.add(toHex(await provider.random(32)))
      demand(
        seen.size === 16 && [...seen].every(({ length }) => length === 64),
        'random bytes repeat',
      )
      for (const length of [1, 1024])
        demand((await provider.random(length)).length === length, 'another length')
      for (const length of [0, 1025, 1.5])
        await mustFail('hsm/bad-argument', `${length} bytes`, () => provider.random(length))
    },
  },
]

/** Only on a provider that nobody needs any more. */
export const closingCheck: ConformanceCheck = {
  name: 'a closed provider refuses everything and is not healthy',
  needs: [],
  async run(provider: HsmProvider) {
    await provider.close()
    await mustFail('hsm/closed', 'random after close', () => provider.random(1))
    await mustFail('hsm/closed', 'list after close', () => provider.list())
    const health = await provider.health()
    demand(health.state === 'failed' && health.reason === 'hsm/closed', 'healthy after close')
  },
}
