import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, relative } from 'node:path'
import { after, test } from 'node:test'
import { findBrowserFaults, walk } from '../check-browser.mjs'

const scratch = mkdtempSync(join(tmpdir(), 'quorate-browser-'))
after(() => rmSync(scratch, { recursive: true }))

const library = (name, files, manifest = {}) =>
  Object.fromEntries([
    [`node_modules/${name}/package.json`, JSON.stringify({ name, ...manifest })],
    ...Object.entries(files).map(([path, text]) => [`node_modules/${name}/${path}`, text]),
  ])

/** A project with one pure package, whose entry is `index`. */
function project(index, ...more) {
  const root = mkdtempSync(join(scratch, 'p'))
  const files = {
    'package.json': JSON.stringify({
      workspaces: ['packages/*'],
      pure: { packages: ['@quorate/low'] },
    }),
    'packages/low/package.json': JSON.stringify({
      name: '@quorate/low',
      exports: { '.': { default: './dist/index.js' } },
    }),
    'packages/low/dist/index.js': index,
    ...Object.assign({}, ...more),
  }
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(root, path)), { recursive: true })
    writeFileSync(join(root, path), text)
  }
  return root
}

const refuses = (root, pattern) => {
  const faults = findBrowserFaults(root)
  assert.equal(faults.length, 1, faults.join('\n'))
  assert.match(faults[0], pattern)
}

const loaded = (root) =>
  [...walk(root, join(root, 'packages/low/dist/index.js')).files.keys()]
    .map((file) => relative(root, file))
    .toSorted((a, b) => (a < b ? -1 : 1))

test('a package that loads what browsers have is in order', () => {
  const root = project(
    "import { a } from 'lib'\nimport * as b from './b.js'\nexport { a, b }",
    library('lib', { 'a.js': 'export const a = 1' }, { exports: { '.': { import: './a.js' } } }),
    { 'packages/low/dist/b.js': "// import 'node:fs'\nexport const b = 2" },
  )
  assert.deepEqual(findBrowserFaults(root), [])
  assert.deepEqual(loaded(root), [
    'node_modules/lib/a.js',
    'packages/low/dist/b.js',
    'packages/low/dist/index.js',
  ])
})

test("Node's modules are refused wherever they are reached, in every way of importing", () => {
  const main = { exports: { '.': './a.js' } }
  for (const line of [
    "import { readFileSync } from 'node:fs'",
    "import fs from 'fs'",
    "import {\n  a,\n  b,\n} from 'node:fs'",
    "import * as fs from 'node:fs'",
    "import 'node:fs'",
    "export * from 'node:fs'",
    "export { constants } from 'node:fs'",
    "const fs = await import('node:fs')",
    "const fs = import( 'node:fs' )",
    "import{readFileSync as r}from'node:fs'",
    "import fs, { constants } from 'node:fs'",
  ]) {
    refuses(project(line), /@quorate\/low: packages\/low\/dist\/index\.js imports (node:)?fs/)
    refuses(project("import 'lib'", library('lib', { 'a.js': line }, main)), /lib\/a\.js imports/)
  }
})

test('the file for browsers is the one that counts', () => {
  const files = { 'node.js': "import 'node:fs'", 'browser.js': '' }
  const entry = { default: './node.js', browser: { import: './browser.js' } }
  const root = project(
    "import 'lib'",
    library('lib', files, { exports: { '.': { node: './node.js', ...entry } } }),
  )
  assert.deepEqual(findBrowserFaults(root), [])
})

test('what is no ES module, not there or not built is refused', () => {
  const old = { 'index.js': "const a = require('a')\nmodule.exports = a" }
  refuses(project("import 'lib'", library('lib', old)), /lib\/index\.js is no ES module/)
  refuses(project("import 'lib'"), /imports lib, which is not there/)
  refuses(project("import './gone.js'"), /imports \.\/gone\.js, which is not there/)
  const inner = { exports: { '.': './a.js' } }
  const lib = library('lib', { 'a.js': '', 'b.js': '' }, inner)
  refuses(project("import 'lib/b.js'", lib), /imports lib\/b\.js, which is not there/)
  const root = project('')
  rmSync(join(root, 'packages/low/dist'), { recursive: true })
  refuses(root, /is not built/)
})

test('of a package without side effects only what is asked for is loaded', () => {
  const files = {
    'index.js': "export { a as one } from './a.js'\nexport { b } from './b.js'",
    'a.js': 'export const a = 1',
    'b.js': "import 'node:fs'\nexport const b = 2",
  }
  const exports = { '.': './index.js' }
  const of = (names, manifest) =>
    project(`import { ${names} } from 'lib'`, library('lib', files, manifest))
  const lean = of('one', { exports, sideEffects: false })
  assert.deepEqual(findBrowserFaults(lean), [])
  assert.ok(!loaded(lean).includes('node_modules/lib/b.js'))
  refuses(of('one, b', { exports, sideEffects: false }), /b\.js imports node:fs/)
  refuses(of('one', { exports }), /b\.js imports node:fs/)
})
