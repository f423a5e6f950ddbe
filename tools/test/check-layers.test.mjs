import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { after, test } from 'node:test'
import { findLayerFaults, importsOf } from '../check-layers.mjs'

const scratch = mkdtempSync(join(tmpdir(), 'quorate-layers-'))
after(() => rmSync(scratch, { recursive: true }))

/** A project of three packages, one per floor, that is in order; `changes` replaces or adds files. */
function project(changes = {}) {
  const root = mkdtempSync(join(scratch, 'p'))
  const manifest = (name, rest = {}) => ({ name: `@quorate/${name}`, ...rest })
  const config = (kind, ...references) => ({
    extends: `../../tsconfig.${kind}.json`,
    references: references.map((path) => ({ path })),
  })
  const files = {
    'package.json': {
      workspaces: ['packages/*'],
      floors: [['@quorate/low'], ['@quorate/mid'], ['@quorate/top']],
      pure: { packages: ['@quorate/low', '@quorate/mid'], mayImport: ['@noble/hashes'] },
    },
    'tsconfig.json': {
      references: ['low', 'mid', 'mid/test', 'top'].map((dir) => ({ path: `packages/${dir}` })),
    },
    'packages/low/package.json': manifest('low', { dependencies: { '@noble/hashes': '1' } }),
    'packages/low/tsconfig.json': config('pure'),
    'packages/low/src/index.ts': "import { x } from '@noble/hashes/sha2.js'\nexport const y = x",
    'packages/mid/package.json': manifest('mid', { dependencies: { '@quorate/low': '1' } }),
    'packages/mid/tsconfig.json': config('pure', '../low'),
    'packages/mid/src/index.ts': "export { y } from '@quorate/low'",
    'packages/mid/test/tsconfig.json': config('base', '..'),
    'packages/mid/test/a.test.ts': "import test from 'node:test'\nimport '@quorate/mid'",
    'packages/top/package.json': manifest('top', {
      dependencies: { '@quorate/mid': '1', fastify: '1' },
    }),
    'packages/top/tsconfig.json': config('base', '../mid'),
    'packages/top/src/index.ts': "import 'node:fs'\nimport '@quorate/mid'",
    ...changes,
  }
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(dirname(join(root, path)), { recursive: true })
    writeFileSync(join(root, path), typeof content === 'string' ? content : JSON.stringify(content))
  }
  return root
}

function refuses(changes, ...patterns) {
  const faults = findLayerFaults(project(changes))
  assert.equal(faults.length, patterns.length, faults.join('\n'))
  for (const [i, pattern] of patterns.entries()) assert.match(faults[i], pattern)
}

test('a project in order has no faults', () => refuses({}))

test('an upward and a sideways dependency are refused', () => {
  refuses(
    {
      'packages/low/package.json': {
        name: '@quorate/low',
        dependencies: { '@noble/hashes': '1', '@quorate/mid': '1' },
      },
      'packages/low/tsconfig.json': {
        extends: '../../tsconfig.pure.json',
        references: [{ path: '../mid' }],
      },
    },
    /low \(floor 0\) may not depend on @quorate\/mid \(floor 1\)/,
  )
  refuses(
    {
      'package.json': {
        workspaces: ['packages/*'],
        floors: [['@quorate/low', '@quorate/mid'], ['@quorate/top']],
        pure: { packages: ['@quorate/low', '@quorate/mid'], mayImport: ['@noble/hashes'] },
      },
    },
    /mid \(floor 0\) may not depend on @quorate\/low \(floor 0\)/,
  )
})

test('optional, peer and development dependencies may not go up either', () => {
  for (const kind of ['optionalDependencies', 'peerDependencies', 'devDependencies'])
    refuses(
      {
        'packages/low/package.json': {
          name: '@quorate/low',
          dependencies: { '@noble/hashes': '1' },
          [kind]: { '@quorate/top': '1' },
        },
      },
      /may not depend on @quorate\/top/,
    )
})

test('a package without a floor, and a floor without a package', () => {
  refuses(
    { 'packages/new/package.json': { name: '@quorate/new' }, 'packages/new/tsconfig.json': {} },
    /new has no floor/,
    /new\/tsconfig/,
  )
  refuses(
    {
      'package.json': {
        workspaces: ['packages/*'],
        floors: [['@quorate/low'], ['@quorate/mid'], ['@quorate/top', '@quorate/gone']],
        pure: { packages: [], mayImport: [] },
      },
    },
    /gone has a floor but no directory/,
  )
})

test('references must equal dependencies, and subprojects keep to what is declared', () => {
  refuses({ 'packages/top/tsconfig.json': { references: [] } }, /reference to packages\/mid/)
  refuses(
    { 'packages/top/tsconfig.json': { references: [{ path: '../mid' }, { path: '../low' }] } },
    /reference to packages\/low/,
  )
  refuses(
    { 'packages/mid/test/tsconfig.json': { references: [{ path: '..' }, { path: '../../top' }] } },
    /mid\/test\/tsconfig.json refers to packages\/top/,
  )
})

test('imports that no package.json declares are refused, in tests too', () => {
  refuses(
    { 'packages/top/src/a.ts': "import { y } from '@quorate/low'" },
    /src\/a.ts imports @quorate\/low, which is not declared/,
  )
  refuses(
    { 'packages/mid/test/b.test.ts': "import '@quorate/top'" },
    /b.test.ts imports @quorate\/top/,
  )
})

test('development dependencies stay out of src', () => {
  const manifest = {
    name: '@quorate/top',
    dependencies: { '@quorate/mid': '1' },
    devDependencies: { 'bitcoinjs-lib': '1' },
  }
  refuses(
    {
      'packages/top/package.json': manifest,
      'packages/top/src/a.ts': "const b = await import('bitcoinjs-lib')",
    },
    /imports bitcoinjs-lib, a development dependency/,
  )
  refuses({
    'packages/top/package.json': manifest,
    'packages/top/test/a.test.ts': "import 'bitcoinjs-lib'",
  })
})

test('a client that only some need is loaded when it is asked for', () => {
  const manifest = {
    name: '@quorate/top',
    dependencies: { '@quorate/mid': '1' },
    devDependencies: { cloud: '1' },
    peerDependencies: { cloud: '1' },
  }
  const source = (text) => ({
    'packages/top/package.json': manifest,
    'packages/top/src/a.ts': `export type A = number\n${text}`,
  })
  refuses(source("import { Client } from 'cloud'"), /imports cloud, a development dependency/)
  refuses(source("import type { Client } from 'cloud'\nawait import('cloud')"))
})

test('a pure package takes in nothing that needs Node', () => {
  refuses(
    { 'packages/low/src/a.ts': "import { readFileSync } from 'node:fs'" },
    /low is pure, but src\/a.ts imports node:fs/,
  )
  refuses({ 'packages/low/src/a.ts': "export * from 'fs'" }, /imports fs/)
  refuses(
    {
      'packages/low/package.json': {
        name: '@quorate/low',
        dependencies: { fastify: '1', '@noble/hashes': '1' },
      },
    },
    /low is pure and may not depend on fastify/,
  )
  refuses(
    {
      'packages/mid/tsconfig.json': {
        extends: '../../tsconfig.base.json',
        references: [{ path: '../low' }],
      },
    },
    /must extend tsconfig.pure.json/,
  )
  refuses(
    {
      'packages/mid/tsconfig.json': {
        extends: '../../tsconfig.pure.json',
        compilerOptions: { types: ['node'] },
        references: [{ path: '../low' }],
      },
    },
    /must extend tsconfig.pure.json and keep its types/,
  )
})

test('a project that the root does not build is named', () => {
  refuses(
    { 'packages/top/test/tsconfig.json': { references: [{ path: '..' }] } },
    /packages\/top\/test\/tsconfig.json is not in the root/,
  )
})

test('imports are found in every form, and not in comments', () => {
  const source = `
    import a from 'a'
    import { b,
      c } from "@x/b/deep.js"
    import 'c'
    export * from './d.ts'
    const e = await import( 'e' )
    type F = import('f').F
    type G = Omit<F, 'from' | 'to'>
    // import 'no'
    /* import 'no' */`
  assert.deepEqual(
    importsOf(source).map(({ name, isLazy }) => [name, isLazy]),
    [
      ['a', false],
      ['@x/b', false],
      ['c', false],
      ['.', false],
      ['e', true],
      ['f', true],
    ],
  )
})
