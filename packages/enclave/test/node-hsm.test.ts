import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { equalBytes, type FaultCode, isFault, utf8 } from '@quorate/base'
import { type Custody, type HsmProvider, type OpenHsm, openHsm } from '@quorate/hsm'
import { systemRandom as random, systemClock } from '@quorate/platform'
import { verifyEd25519 } from '#src/signer-process/node-crypto.js'
import { identityLabel, openNodeHsm, sealingLabel } from '#src/signer-process/node-hsm.js'

const isCode = (code: FaultCode) => (error: unknown) =>
  isFault(error, code) || assert.fail(`expected ${code}, got ${String(error)}`)

async function device(t: TestContext): Promise<OpenHsm> {
  const directory = mkdtempSync(join(tmpdir(), 'quorate-node-hsm-'))
  t.after(() => rmSync(directory, { recursive: true, force: true }))
  const config = {
    type: 'simulated',
    directory: join(directory, 'hsm'),
    environment: 'development',
  }
  return openHsm(config as Parameters<typeof openHsm>[0], { clock: systemClock })
}

const own = { storeId: 'store-1', keyLabel: null, identityLabel: null, random } as const
const fresh = (
  hsm: OpenHsm,
  change: Partial<{ storeId: string; keyLabel: string; identityLabel: string }> = {},
) => openNodeHsm({ ...own, device: hsm, known: null, isFresh: true, ...change })
const again = (hsm: OpenHsm, known: Uint8Array | null, keyLabel: string | null = null) =>
  openNodeHsm({ ...own, device: hsm, known, keyLabel, isFresh: false })

/** The same device, as one of another level and with fewer algorithms. */
const limited = (hsm: OpenHsm, missing: string, custody: Custody = 'hardware'): OpenHsm => ({
  ...hsm,
  custody,
  provider: new Proxy(hsm.provider, {
    get(target, name) {
      if (name === 'info')
        return async () => {
          const info = await target.info()
          return { ...info, algorithms: info.algorithms.filter((each) => each !== missing) }
        }
      const value = target[name as keyof HsmProvider] as unknown
      return typeof value === 'function' ? value.bind(target) : value
    },
  }),
})

test('the keys of a node are made once, found again, and are those of its store alone', async (t) => {
  const hsm = await device(t)
  const first = await fresh(hsm)
  const retried = await fresh(hsm)
  assert.ok(equalBytes(first.keys, retried.keys), 'a start that was cut short made other keys')
  const later = await again(hsm, first.keys)
  assert.deepEqual(later.hsm.identity.publicKey, first.hsm.identity.publicKey)
  const sealed = await first.hsm.sealer.seal(utf8('secret'), utf8('context'))
  assert.deepEqual(await later.hsm.sealer.open(sealed, utf8('context')), utf8('secret'))
  const other = await fresh(hsm, { storeId: 'store-2' })
  assert.notDeepEqual(other.hsm.identity.publicKey, first.hsm.identity.publicKey)
  assert.deepEqual(
    (await hsm.provider.list()).map(({ label }) => label).sort(),
    ['store-1', 'store-2'].flatMap((id) => [identityLabel(id), sealingLabel(id)]).sort(),
  )
  assert.equal(first.hsm.custody, 'software')
})

test('keys of labels that the operator names are used, and no others afterwards', async (t) => {
  const hsm = await device(t)
  const made = await hsm.provider.generateKey({ label: 'root', algorithm: 'aes-256' })
  const { keys } = await fresh(hsm, { keyLabel: 'root', identityLabel: 'alpha' })
  assert.deepEqual((await hsm.provider.list()).map(({ label }) => label).sort(), ['alpha', 'root'])
  await again(hsm, keys, 'root')
  await assert.rejects(again(hsm, keys, 'other'), isCode('enclave/store-mismatch'))
  await hsm.provider.destroy(made.id, { label: 'root' })
  await hsm.provider.generateKey({ label: 'root', algorithm: 'aes-256' })
  await assert.rejects(again(hsm, keys, 'root'), isCode('enclave/store-mismatch'))
})

test('attack: another key in the place of the identity key is refused', async (t) => {
  const hsm = await device(t)
  const { keys } = await fresh(hsm)
  const label = identityLabel(own.storeId)
  const { id } = await hsm.provider.find({ label })
  await hsm.provider.destroy(id, { label })
  await hsm.provider.generateKey({ label, algorithm: 'ed25519', id })
  await assert.rejects(again(hsm, keys), isCode('hsm/key-changed'))
})

test('a used store makes no keys: without those it was used with it does not open', async (t) => {
  const [hsm, other] = [await device(t), await device(t)]
  const { keys } = await fresh(hsm)
  for (const known of [keys, null])
    await assert.rejects(again(other, known), isCode('enclave/store-mismatch'))
  assert.deepEqual(await other.provider.list(), [])
})

test('two keys of its label are an operator’s mistake', async (t) => {
  const hsm = await device(t)
  for (let i = 0; i < 2; i++)
    await hsm.provider.generateKey({ label: sealingLabel(own.storeId), algorithm: 'aes-256' })
  await assert.rejects(fresh(hsm), isCode('hsm/key-ambiguous'))
})

test('where the HSM has no Ed25519, it seals the identity key, and the level says so', async (t) => {
  const hsm = limited(await device(t), 'ed25519')
  const first = await fresh(hsm)
  assert.equal(first.hsm.custody, 'sealed')
  const later = await again(hsm, first.keys)
  const message = utf8('epoch')
  const signature = await later.hsm.identity.sign(message)
  assert.ok(verifyEd25519(first.hsm.identity.publicKey, message, signature))
  assert.deepEqual(
    (await hsm.provider.list()).map(({ algorithm }) => algorithm),
    ['aes-256'],
  )
  const moved = openNodeHsm({
    ...own,
    storeId: 'store-2',
    device: hsm,
    known: first.keys,
    isFresh: false,
  })
  await assert.rejects(moved, isCode('hsm/cannot-open'))
  const soft = limited(await device(t), 'ed25519', 'software')
  assert.equal((await fresh(soft)).hsm.custody, 'software')
})

test('an HSM that cannot seal is refused before anything is made in it', async (t) => {
  const hsm = limited(await device(t), 'aes-256')
  await assert.rejects(fresh(hsm), isCode('enclave/hsm-cannot-seal'))
  assert.deepEqual(await hsm.provider.list(), [])
})
