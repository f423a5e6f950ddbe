import assert from 'node:assert/strict'
import {
  chmodSync,
  copyFileSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { Secret, utf8 } from '@quorate/base'
import { CONFORMANCE, SoftwareHsm } from '@quorate/hsm'
import type { Unlock } from '#src/software/root-key.js'
import { clock, isCode, scratch } from '../kit.ts'

const byKeyFile = (byte = 7, length = 32): Unlock => ({
  by: 'key-file',
  secret: new Secret(new Uint8Array(length).fill(byte)),
})
const byPassphrase = (text: string): Unlock => ({
  by: 'passphrase',
  secret: new Secret(utf8(text)),
})
const open = (directory: string, unlock = byKeyFile()): Promise<SoftwareHsm> =>
  SoftwareHsm.open(directory, unlock, clock)
const ROOT = 'root.sealed'
const message = utf8('message')

describe('the software provider passes', () => {
  for (const check of CONFORMANCE)
    test(check.name, async (t) => {
      const provider = await open(scratch(t))
      await check.run(provider)
      if (check.name.startsWith('a closed')) return
      assert.deepEqual(await provider.list(), [], 'keys were left behind')
      assert.deepEqual(await provider.health(), { state: 'ok' })
    })
})

test('a passphrase opens what it closed, after a restart; another does not, and never says why', async (t) => {
  const directory = scratch(t)
  const first = await open(directory, byPassphrase('correct horse battery'))
  const { id, publicKey } = await first.generateKey({ label: 'k', algorithm: 'ed25519' })
  const { serial } = await first.info()
  await first.close()
  const second = await open(directory, byPassphrase('correct horse battery'))
  assert.deepEqual(await second.publicKey(id), publicKey)
  assert.equal((await second.info()).serial, serial)
  await assert.rejects(
    open(directory, byPassphrase('correct horse batter')),
    isCode('hsm/cannot-open'),
  )
  await assert.rejects(open(directory), isCode('hsm/bad-pin'))
})

test('a key file opens what it closed, and no other', async (t) => {
  const directory = scratch(t)
  const { id } = await (await open(directory)).generateKey({ label: 'k', algorithm: 'p256' })
  await (await open(directory)).sign(id, { message })
  await assert.rejects(open(directory, byKeyFile(8)), isCode('hsm/cannot-open'))
  await assert.rejects(open(directory, byKeyFile(7, 33)), isCode('hsm/cannot-open'))
})

test('a secret that could be guessed makes no store', async (t) => {
  const directory = scratch(t)
  for (const weak of [byPassphrase('hunter2'), byKeyFile(7, 31)])
    await assert.rejects(open(directory, weak), isCode('hsm/bad-pin'))
  assert.deepEqual(readdirSync(directory), [])
})

test('no file holds a secret, a label or an algorithm in plaintext, and all are private', async (t) => {
  const directory = scratch(t)
  const provider = await open(directory)
  await provider.generateKey({ label: 'a-telling-label', algorithm: 'secp256k1' })
  assert.equal(statSync(directory).mode & 0o777, 0o700)
  const names = readdirSync(directory)
  assert.equal(names.length, 2)
  for (const name of names) {
    const content = readFileSync(join(directory, name))
    assert.equal(statSync(join(directory, name)).mode & 0o777, 0o600, name)
    assert.ok(!content.includes('a-telling-label') && !content.includes('secp256k1'), name)
    assert.ok(!content.includes(Buffer.alloc(32, 7)), 'the key file is in the store')
  }
})

describe('attack:', () => {
  type Attack = (directory: string, one: string, two: string) => void
  const attacks: { readonly [what: string]: Attack } = {
    'key files are swapped': (_, one, two) => {
      renameSync(one, `${one}.x`)
      renameSync(two, one)
      renameSync(`${one}.x`, two)
    },
    'a key file is truncated': (_, one) => truncateSync(one, 40),
    'a key file has one bit changed': (_, one) => {
      const content = readFileSync(one)
      content[content.length - 1]! ^= 1
      writeFileSync(one, content)
    },
  }
  for (const [what, attack] of Object.entries(attacks))
    test(what, async (t) => {
      const directory = scratch(t)
      const provider = await open(directory)
      const [one, two] = [
        await provider.generateKey({ label: 'one', algorithm: 'ed25519' }),
        await provider.generateKey({ label: 'two', algorithm: 'ed25519' }),
      ]
      attack(directory, join(directory, `${one.id}.key`), join(directory, `${two.id}.key`))
      await assert.rejects(provider.sign(one.id, { message }), isCode('hsm/object-damaged'))
      await assert.rejects(provider.list(), isCode('hsm/object-damaged'))
    })

  test('the root of another store, opened by the same secret, opens no key', async (t) => {
    const [directory, other] = [scratch(t), scratch(t)]
    const { id } = await (await open(directory)).generateKey({ label: 'k', algorithm: 'ed25519' })
    await open(other)
    copyFileSync(join(other, ROOT), join(directory, ROOT))
    await assert.rejects(
      (await open(directory)).sign(id, { message }),
      isCode('hsm/object-damaged'),
    )
  })

  test('a root file that is gone is not made anew over existing keys', async (t) => {
    const directory = scratch(t)
    await (await open(directory)).generateKey({ label: 'k', algorithm: 'ed25519' })
    rmSync(join(directory, ROOT))
    await assert.rejects(open(directory), isCode('hsm/object-damaged'))
    assert.ok(!readdirSync(directory).includes(ROOT))
  })

  test('no changed byte of the root file opens it', async (t) => {
    const directory = scratch(t)
    await open(directory)
    const content = readFileSync(join(directory, ROOT))
    for (let i = 0; i < content.length; i++) {
      const changed = Buffer.from(content)
      changed[i]! ^= 1
      writeFileSync(join(directory, ROOT), changed)
      await assert.rejects(open(directory), (error) => {
        const known = ['hsm/cannot-open', 'hsm/object-damaged', 'hsm/bad-pin'] as const
        return (
          known.some((code) => isCode(code)(error)) || assert.fail(`byte ${i}: ${String(error)}`)
        )
      })
    }
  })

  test('a root file that others can read is refused', async (t) => {
    const directory = scratch(t)
    await open(directory)
    chmodSync(join(directory, ROOT), 0o644)
    await assert.rejects(open(directory), isCode('hsm/loose-permissions'))
  })
})

test('closing while operations run ends each in a result or in hsm/closed', async (t) => {
  const provider = await open(scratch(t))
  const { id } = await provider.generateKey({ label: 'k', algorithm: 'ed25519' })
  const running = Array.from({ length: 8 }, () => provider.sign(id, { message }))
  await provider.close()
  const ends = await Promise.allSettled(running)
  assert.equal(ends.length, 8)
  for (const end of ends) if (end.status === 'rejected') assert.ok(isCode('hsm/closed')(end.reason))
  await assert.rejects(provider.sign(id, { message }), isCode('hsm/closed'))
})

test('of many that make the store at once, all open the same one', async (t) => {
  const directory = scratch(t)
  const providers = await Promise.all(Array.from({ length: 4 }, () => open(directory)))
  const infos = await Promise.all(providers.map((provider) => provider.info()))
  assert.equal(new Set(infos.map(({ serial }) => serial)).size, 1)
})
