import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { isFault } from '@quorate/base'
import fc from 'fast-check'
import { formatDotenv, parseDotenv } from '#src/domains/secrets/dotenv.js'
import { FILE_FORMATS, formatFile, parseFile } from '#src/domains/secrets/formats.js'

const name = fc.stringMatching(/^[A-Za-z_][A-Za-z0-9_.-]{0,12}$/)
const value = fc.oneof(
  fc.string({ unit: 'grapheme' }),
  fc.string({
    unit: fc.constantFrom('"', "'", '\\', '#', ' ', '\n', '\r', '\t', '$', '`', '=', ':', '-', 'n'),
    maxLength: 12,
  }),
  fc.constantFrom(
    '',
    'null',
    '~',
    'true',
    '010',
    '1e3',
    '2020-01-01',
    '- a',
    '<<',
    '! x',
    '\ufeff',
  ),
)
const file = fc
  .uniqueArray(fc.tuple(name, value), { selector: ([each]) => each, maxLength: 8 })
  .map((pairs) => pairs.map(([each, text]) => ({ name: each, value: text.replaceAll('\0', '') })))
const sorted = (items: readonly { name: string; value: string }[]) =>
  [...items].sort((a, b) => (a.name < b.name ? -1 : 1))

describe('what is written is read back', () => {
  for (const format of FILE_FORMATS)
    test(format, () => {
      fc.assert(
        fc.property(file, (items) => {
          // JSON and YAML maps put names that look like numbers first; there are none of those.
          assert.deepEqual(
            sorted(parseFile(format, formatFile(format, items)) as typeof items),
            sorted(items),
          )
        }),
        { numRuns: 500 },
      )
    })
})

describe('.env', () => {
  const read = (text: string): { [name: string]: string } =>
    Object.fromEntries(parseDotenv(text).map((each) => [each.name, each.value]))

  test('the forms that are in use', () => {
    assert.deepEqual(
      read(
        [
          '\ufeff# a comment',
          'PLAIN=value',
          'SPACED = value with blanks  ',
          'export EXPORTED=yes',
          'EMPTY=',
          'HASH=a#b',
          'COMMENTED=a # not this',
          "SINGLE='a \\n $HOME #'  # after",
          'DOUBLE="a\\n\\"b\\" \\$x \\q"',
          'MULTI="first',
          'second"',
          'JSON={"a": 1}',
          'URL=postgres://u:p@h/d?x=1',
          '',
        ].join('\r\n'),
      ),
      {
        PLAIN: 'value',
        SPACED: 'value with blanks',
        EXPORTED: 'yes',
        EMPTY: '',
        HASH: 'a#b',
        COMMENTED: 'a',
        SINGLE: 'a \\n $HOME #',
        DOUBLE: 'a\n"b" $x \\q',
        MULTI: 'first\r\nsecond',
        JSON: '{"a": 1}',
        URL: 'postgres://u:p@h/d?x=1',
      },
    )
  })

  test('what cannot be read is named by its line, never by its text', () => {
    for (const [text, line] of [
      ['A=1\nhunter2\n', 2],
      ['A="hunter2', 1],
      ["A='hunter2' x", 1],
      ['A=1\n\nA=hunter2', 3],
      ['1A=hunter2', 1],
    ] as const)
      assert.throws(
        () => parseDotenv(text),
        (error) =>
          isFault(error, 'kms/bad-file') &&
          error.message.includes(`line ${line}:`) &&
          !error.message.includes('hunter2'),
      )
  })

  test('comments go before their line, whatever is in them', () => {
    const text = formatDotenv([{ name: 'A', value: 'x', comment: 'one\nB=2' }])
    assert.equal(text, '# one\n# B=2\nA=x\n')
  })
})

describe('JSON and YAML', () => {
  const map = (format: 'json' | 'yaml', text: string) =>
    parseFile(format, text).map((each) => [each.name, each.value])

  test('scalars keep the form in which they are written', () => {
    assert.deepEqual(map('yaml', 'A: 010\nB: no\nC: 1.50\nD:\nE: "x"\nF: 2020-01-01\n'), [
      ['A', '010'],
      ['B', 'no'],
      ['C', '1.50'],
      ['D', ''],
      ['E', 'x'],
      ['F', '2020-01-01'],
    ])
    assert.deepEqual(map('json', '{"A": 5, "B": true, "C": "x"}'), [
      ['A', '5'],
      ['B', 'true'],
      ['C', 'x'],
    ])
  })

  test('everything else is refused', () => {
    for (const [format, text] of [
      ['json', '[]'],
      ['json', '{"A": null}'],
      ['json', '{"A": {"b": "hunter2"}}'],
      ['json', '{"A": 1.5}'],
      ['json', '{"a b": "x"}'],
      ['json', 'hunter2'],
      ['yaml', '- a'],
      ['yaml', 'A: [hunter2]'],
      ['yaml', 'A: 1\nA: 2'],
      ['yaml', 'A: &x 1\nB: *x'],
      ['yaml', 'a: "hunter2'],
    ] as const)
      assert.throws(
        () => parseFile(format, text),
        (error) => isFault(error, 'kms/bad-file') && !error.message.includes('hunter2'),
        text,
      )
  })
})
