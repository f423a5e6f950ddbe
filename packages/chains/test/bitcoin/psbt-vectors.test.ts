/** The test vectors of BIP-174, BIP-370 and BIP-371. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { isFault } from '@quorate/base'
import { base64 } from '@scure/base'
import { readMaps, writeMaps } from '#src/bitcoin/psbt-maps.js'
import { readSkeleton } from '#src/bitcoin/skeleton.js'

type Case = { readonly name: string; readonly psbt: string }
type Vectors = {
  readonly invalid: { readonly [bip: string]: readonly Case[] }
  readonly valid: { readonly [bip: string]: readonly Case[] }
  readonly lockTimes: readonly (Case & { readonly lockTime: number | null })[]
}

const path = new URL('../../../../../test/vectors/psbt/psbt.json', import.meta.url)
const vectors = JSON.parse(readFileSync(path, 'utf8')) as Vectors

const isRefusal = (error: unknown): boolean =>
  isFault(error, 'chains/malformed-transaction') || isFault(error, 'chains/unsupported-version')

for (const [bip, cases] of Object.entries(vectors.invalid))
  for (const { name, psbt } of cases)
    test(`BIP-${bip}, invalid: ${name}`, () => {
      assert.throws(() => readSkeleton(base64.decode(psbt)), isRefusal)
    })

for (const [bip, cases] of Object.entries(vectors.valid))
  for (const { name, psbt } of cases)
    test(`BIP-${bip}, valid: ${name}`, () => {
      const bytes = base64.decode(psbt)
      assert.deepEqual(writeMaps(readMaps(bytes, 99)), bytes)
      // Nothing to sign: such a PSBT waits for whoever adds inputs.
      if (name.includes('0 inputs')) assert.throws(() => readSkeleton(bytes), isRefusal)
      else assert.ok(readSkeleton(bytes).inputs.length > 0)
    })

for (const { name, psbt, lockTime } of vectors.lockTimes)
  test(`BIP-370, lock time ${lockTime}: ${name}`, () => {
    const read = (): number => readSkeleton(base64.decode(psbt)).tx.lockTime
    if (lockTime === null) assert.throws(read, isRefusal)
    else assert.equal(read(), lockTime)
  })
