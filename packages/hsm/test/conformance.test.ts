import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { utf8 } from '@quorate/base'
import { CONFORMANCE, type HsmProvider, type KeyInfo, SimulatedHsm } from '@quorate/hsm'
import { clock, isCode, openIn, scratch } from './kit.ts'

describe('the simulated HSM passes', () => {
  for (const check of CONFORMANCE)
    test(check.name, async (t) => {
      const provider = await openIn(scratch(t))
      await check.run(provider)
      if (check.name.startsWith('a closed')) return
      assert.deepEqual(await provider.list(), [], 'keys were left behind')
      assert.deepEqual(await provider.health(), { state: 'ok' })
    })
})

/** The provider with some operations replaced. */
function broken(provider: SimulatedHsm, changes: Partial<HsmProvider>): HsmProvider {
  return new Proxy(provider as HsmProvider, {
    get(target, name) {
      const change = changes[name as keyof HsmProvider]
      if (change !== undefined) return change
      const value = target[name as keyof HsmProvider] as unknown
      return typeof value === 'function' ? value.bind(target) : value
    },
  })
}

/** The names of the checks that find the provider wrong. One after the other: they share its keys. */
async function nonconforming(provider: HsmProvider): Promise<readonly string[]> {
  const found: string[] = []
  for (const check of CONFORMANCE)
    try {
      await check.run(provider)
    } catch (error) {
      if (isCode('hsm/nonconforming')(error)) found.push(check.name)
    }
  return found
}

test('the suite finds nothing wrong with the provider as it is', async (t) => {
  assert.deepEqual(await nonconforming(broken(await openIn(scratch(t)), {})), [])
})

describe('the suite finds a provider that', () => {
  type Fault = (provider: SimulatedHsm) => Partial<HsmProvider>
  const faults: { readonly [what: string]: Fault } = {
    'makes extractable keys': (p) => ({
      generateKey: async (request) => ({ ...(await p.generateKey(request)), isExtractable: true }),
    }),
    'forgets to list keys': () => ({ list: async () => [] }),
    'destroys without confirmation': (p) => ({
      destroy: async (id) => p.destroy(id, { label: (await p.find({ id })).label }),
    }),
    'picks the first of two keys': (p) => ({
      find: async (query) => {
        const all = await p.list()
        const match = all.find(
          (key) => key.label === query.label && (query.id ?? key.id) === key.id,
        )
        return match ?? p.find(query)
      },
    }),
    'signs with a high s': (p) => ({
      sign: async (id, input) => {
        const signature = await p.sign(id, input)
        return (await p.find({ id })).algorithm === 'p256' ? highS(signature) : signature
      },
    }),
    'verifies everything': () => ({ verify: async () => true }),
    'uses one IV': (p) => ({
      encrypt: async (id, plaintext, aad) => ({
        ...(await p.encrypt(id, plaintext, aad)),
        iv: new Uint8Array(12),
      }),
    }),
    'ignores the context': (p) => ({
      encrypt: (id, plaintext) => p.encrypt(id, plaintext, utf8('x')),
      decrypt: (id, encrypted) => p.decrypt(id, encrypted, utf8('x')),
    }),
    'repeats its random bytes': () => ({ random: async (length) => new Uint8Array(length) }),
    'works on after close': () => ({ close: async () => undefined }),
    'mixes up simultaneous signatures': (p) => {
      let last = utf8('none')
      return {
        sign: async (id, input) => {
          if ('message' in input && input.message.length === 1) last = input.message
          return Promise.resolve().then(() =>
            p.sign(
              id,
              'message' in input && input.message.length === 1 ? { message: last } : input,
            ),
          )
        },
      }
    },
  }
  for (const [what, fault] of Object.entries(faults))
    test(what, async (t) => {
      const directory = scratch(t)
      const provider = broken(
        await SimulatedHsm.open(directory, clock),
        fault(await openIn(directory)),
      )
      const found = await nonconforming(provider)
      assert.ok(found.length > 0)
    })
})

const N = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n
function highS(signature: Uint8Array): Uint8Array {
  const s = BigInt(`0x${Buffer.from(signature.subarray(32)).toString('hex')}`)
  const high = (N - s).toString(16).padStart(64, '0')
  return new Uint8Array([...signature.subarray(0, 32), ...Buffer.from(high, 'hex')])
}

test('each check says what it needs', () => {
  const names = new Set(CONFORMANCE.map(({ name }) => name))
  assert.equal(names.size, CONFORMANCE.length)
  for (const algorithm of [
    'ed25519',
    'p256',
    'secp256k1',
    'aes-256',
    'hmac-sha256',
  ] satisfies KeyInfo['algorithm'][])
    assert.ok(
      CONFORMANCE.some(({ needs }) => needs.includes(algorithm)),
      algorithm,
    )
})
