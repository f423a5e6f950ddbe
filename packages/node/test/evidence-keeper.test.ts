import assert from 'node:assert/strict'
import { mkdirSync, readdirSync, readFileSync, statSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { toHex } from '@quorate/base'
import { EvidenceKeeper } from '#src/evidence-keeper.js'
import { directory } from './scratch.js'

const sid = (byte: number): Uint8Array => new Uint8Array(32).fill(byte)

test('evidence is one private file for each session', (t) => {
  const path = join(directory(t), 'evidence')
  const keeper = new EvidenceKeeper(path)
  keeper.keep(sid(1), Uint8Array.of(1, 2, 3))
  const file = join(path, `${toHex(sid(1))}.cbor`)
  assert.deepEqual([...readFileSync(file)], [1, 2, 3])
  assert.deepEqual([statSync(path).mode & 0o777, statSync(file).mode & 0o777], [0o700, 0o600])
})

test('the oldest make room for new ones, and other files are left alone', (t) => {
  const path = join(directory(t), 'evidence')
  mkdirSync(path, { mode: 0o700 })
  writeFileSync(join(path, 'notes.txt'), 'mine')
  utimesSync(join(path, 'notes.txt'), 0, 0)
  const keeper = new EvidenceKeeper(path, 3)
  for (let byte = 1; byte <= 5; byte++) {
    keeper.keep(sid(byte), Uint8Array.of(byte))
    utimesSync(join(path, `${toHex(sid(byte))}.cbor`), byte, byte)
  }
  assert.deepEqual(readdirSync(path).sort(), [
    ...[3, 4, 5].map((byte) => `${toHex(sid(byte))}.cbor`),
    'notes.txt',
  ])
})
