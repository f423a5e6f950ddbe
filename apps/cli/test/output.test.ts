import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Fault } from '@quorate/base'
import { Output, table } from '#src/output.js'

function captured(isJson: boolean, isTTY = false) {
  const [out, err]: [string[], string[]] = [[], []]
  const output = new Output(isJson, {
    out: { write: (text) => out.push(text) },
    err: { write: (text) => err.push(text), isTTY, columns: 20 },
  })
  return { output, out, err }
}

test('with --json there is one document on stdout and nothing beside it', () => {
  const { output, out, err } = captured(true)
  output.progress('working')
  output.note('by the way')
  output.result({ a: 1 }, () => ['never'])
  assert.deepEqual(out, ['{"a":1}\n'])
  assert.deepEqual(err, [])
})

test('a fault says what was wrong, what to do, and its code', () => {
  const plain = captured(false)
  const fault = new Fault('cli/unknown-wallet', { detail: 'pocket' })
  plain.output.fault(fault)
  assert.match(
    plain.err.join(''),
    /^error: .*pocket\n {2}quorate wallet list.*\n {2}\[cli\/unknown-wallet\]\n$/,
  )
  const json = captured(true)
  json.output.fault(fault)
  const { error } = JSON.parse(json.err.join('')) as { error: { code: string; exit: number } }
  assert.deepEqual([error.code, error.exit], ['cli/unknown-wallet', 4])
})

test('text from elsewhere cannot drive the terminal', () => {
  const { output, out } = captured(false)
  output.result({}, () => ['label \u001b[31mred\u202e'])
  assert.deepEqual(out, ['label  [31mred \n'])
})

test('progress is one line on a terminal, and plain lines elsewhere', () => {
  const terminal = captured(false, true)
  terminal.output.progress('a step with a long description')
  terminal.output.result({}, () => ['done'])
  assert.deepEqual(terminal.err, ['\r\u001b[2Ka step with a long ', '\r\u001b[2K'])
  const file = captured(false)
  file.output.progress('one')
  file.output.progress('one')
  file.output.progress('two')
  assert.deepEqual(file.err, ['one\n', 'two\n'])
})

test('columns are as wide as their widest cell', () => {
  assert.deepEqual(
    table([
      ['a', 'b'],
      ['long', 'c'],
    ]),
    ['a     b', 'long  c'],
  )
})
