/**
 * Every attack and every mutation at 128 bits: the tests that are quick at 112, run once more in
 * processes of their own. With QUORATE_SOAK_REPORT set, the outcome is written to that file.
 */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { readdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { headOf } from './report.js'

const here = dirname(fileURLToPath(import.meta.url))
const filesIn = (directory: string): readonly string[] =>
  readdirSync(join(here, directory))
    .filter((name) => name.endsWith('.test.js'))
    .map((name) => join(here, directory, name))

test('every attack at 128 bits', () => {
  // With the context of this run, the other would take itself for one of its files.
  const { NODE_TEST_CONTEXT: _, ...env } = process.env
  const { stdout } = spawnSync(
    process.execPath,
    ['--test', '--test-reporter=tap', ...filesIn('attacks'), ...filesIn('proofs')],
    { env: { ...env, QUORATE_TEST_LEVEL: '128' }, encoding: 'utf8', maxBuffer: 1 << 28 },
  )
  const results = [...stdout.matchAll(/^( *)(not )?ok \d+ - (.*)$/gm)].map(
    ([, indent, not, name]) => ({ line: `${indent}- ${name}`, isGood: not === undefined }),
  )
  const failed = results.filter(({ isGood }) => !isGood).map(({ line }) => line)
  const file = process.env['QUORATE_SOAK_REPORT']
  if (file !== undefined)
    writeFileSync(
      file,
      [
        '# Attacks on threshold ECDSA at 128 bits',
        '',
        'Written by `npm run soak -- at-128` with `QUORATE_SOAK_REPORT` set to this file.',
        '',
        ...headOf('CGGMP24-secp256k1-SHA256-128-v1'),
        `- ${results.length - failed.length} passed, ${failed.length} failed`,
        '',
        ...results.map(({ line }) => line),
        '',
      ].join('\n'),
    )
  assert.deepEqual(failed, [])
  assert.ok(results.length > 100)
  assert.ok(!stdout.includes('# SKIP'))
})
