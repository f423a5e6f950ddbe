import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isFault } from '@quorate/base'
import fc from 'fast-check'
import {
  escapeText,
  formatReference,
  parseTemplate,
  type Reference,
} from '#src/domains/secrets/references.js'

const at = (environment: string, path: string, name: string): Reference => ({
  place: { environment, path },
  name,
})

test('a value is text and references in turn', () => {
  assert.deepEqual(parseTemplate('plain $5 and {braces}'), ['plain $5 and {braces}'])
  assert.deepEqual(parseTemplate('${A}'), [{ name: 'A' }])
  assert.deepEqual(parseTemplate('postgres://${USER}:${prod.db.PASSWORD}@${prod.db.eu.HOST}/x'), [
    'postgres://',
    { name: 'USER' },
    ':',
    at('prod', '/db', 'PASSWORD'),
    '@',
    at('prod', '/db/eu', 'HOST'),
    '/x',
  ])
  assert.deepEqual(parseTemplate('${prod.TOKEN}'), [at('prod', '/', 'TOKEN')])
  assert.deepEqual(parseTemplate(''), [])
})

test('a dot in a name is escaped', () => {
  assert.deepEqual(parseTemplate('${tls\\.crt}'), [{ name: 'tls.crt' }])
  assert.deepEqual(parseTemplate('${prod.web.tls\\.crt}'), [at('prod', '/web', 'tls.crt')])
})

test('two dollars before a brace are one, and begin nothing', () => {
  assert.deepEqual(parseTemplate('$${A}'), ['${A}'])
  assert.deepEqual(parseTemplate('$$${A}'), ['$', { name: 'A' }])
  assert.deepEqual(parseTemplate('$$$${A}'), ['$${A}'])
  assert.deepEqual(parseTemplate('a$$b'), ['a$$b'])
})

test('what is no reference is refused with its place, and never repeated', () => {
  for (const [value, character] of [
    ['ab${open', 3],
    ['${}', 1],
    ['x ${HOME:-hunter2}', 3],
    ['${Prod.db.X}', 1],
    ['${prod..X}', 1],
    ['${a b}', 1],
    [`\${${'a'.repeat(9000)}}`, 1],
  ] as const)
    assert.throws(
      () => parseTemplate(value),
      (error) =>
        isFault(error, 'kms/bad-reference') &&
        error.message.includes(`at character ${character}:`) &&
        !error.message.includes('hunter2'),
      value.slice(0, 20),
    )
})

const dollars = fc.string({
  unit: fc.constantFrom('$', '{', '}', 'a', '.', '\\', 'é', '\n'),
  maxLength: 30,
})

test('escaped text stands for itself', () => {
  fc.assert(
    fc.property(dollars, (text) => {
      assert.deepEqual(parseTemplate(escapeText(text)), text === '' ? [] : [text])
    }),
  )
})

const name = fc.stringMatching(/^[A-Za-z_][A-Za-z0-9_.-]{0,8}$/)
const folder = fc.stringMatching(/^[A-Za-z0-9][A-Za-z0-9_-]{0,5}$/)
const slug = fc.stringMatching(/^[a-z0-9]{1,4}(-[a-z0-9]{1,3})?$/)
const reference: fc.Arbitrary<Reference> = fc.oneof(
  name.map((each) => ({ name: each })),
  fc
    .tuple(slug, fc.array(folder, { maxLength: 3 }), name)
    .map(([environment, folders, each]) => at(environment, `/${folders.join('/')}`, each)),
)

test('a reference that is written is the one that is read', () => {
  fc.assert(
    fc.property(reference, dollars, (each, text) => {
      const before = escapeText(text)
      // Dollars at the end of the text would run into the one that begins the reference.
      fc.pre(!before.endsWith('$'))
      const parts = parseTemplate(before + formatReference(each))
      assert.deepEqual(parts.at(-1), each)
      assert.deepEqual(parts.slice(0, -1), text === '' ? [] : [text])
    }),
  )
})
