import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { findDocFaults } from '../check-docs.mjs'

const root = mkdtempSync(join(tmpdir(), 'quorate-docs-'))
after(() => rmSync(root, { recursive: true }))
writeFileSync(join(root, 'package.json'), JSON.stringify({ scripts: { demo: 'x' } }))
writeFileSync(join(root, 'other.md'), '# A heading, `code` and more\n')

function faultsOf(text) {
  writeFileSync(join(root, 'README.md'), text)
  return findDocFaults(root, ['up', 'wallet create'])
}
const shell = (...lines) => `\`\`\`sh\n${lines.join('\n')}\n\`\`\`\n`

test('links to files and headings that exist are accepted', () => {
  const text =
    '# Top\n[a](other.md) [b](#top) [c](other.md#a-heading-code-and-more) [d](https://example.org/x)'
  assert.deepEqual(faultsOf(text), [])
})

test('links that lead nowhere are refused', () => {
  for (const [link, fault] of [
    ['none.md', /leads nowhere/],
    ['../x.md', /leads out/],
    ['#none', /names no heading/],
    ['other.md#none', /names no heading/],
  ])
    assert.match(faultsOf(`[x](${link})`).join(), fault)
})

test('commands that exist are accepted', () => {
  const lines = [
    'git clone x',
    'npm start',
    'npm run demo -- --json',
    'npx quorate up',
    '# words',
    'quorate wallet create \\',
    '  --name a  # b',
  ]
  assert.deepEqual(faultsOf(shell(...lines)), [])
})

test('commands that do not exist, or that nothing checks, are refused', () => {
  for (const line of [
    'npm run none',
    'quorate none',
    'npx quorate wallet none',
    'npx other',
    'npm publish',
    'rm -rf x',
  ])
    assert.equal(faultsOf(shell(line)).length, 1, line)
})
