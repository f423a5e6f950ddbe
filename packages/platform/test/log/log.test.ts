import assert from 'node:assert/strict'
import { existsSync, readdirSync, readFileSync, statSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { PassThrough } from 'node:stream'
import test from 'node:test'
import { isFault, Secret } from '@quorate/base'
import {
  createLogger,
  fileSink,
  type LoggerOptions,
  ManualTime,
  streamSink,
} from '@quorate/platform'
import fc from 'fast-check'
import { scratch } from '../scratch.js'

function collect(change: Partial<LoggerOptions> = {}) {
  const lines: string[] = []
  const sink = { write: (line: string) => void lines.push(line) }
  const logger = createLogger({
    level: 'debug',
    format: 'json',
    sink,
    clock: new ManualTime(0),
    ...change,
  })
  return { logger, lines }
}

/** Without the colours that the logger itself uses. */
const uncoloured = (line: string): string =>
  [0, 2, 31, 33, 36].reduce((rest, code) => rest.replaceAll(`\u001b[${code}m`, ''), line)

test('a line is one JSON object with time, level, event and fields', () => {
  const { logger, lines } = collect({ level: 'info' })
  const child = logger.with({ node: 1 }).with({ requestId: 'req_1' })
  child.log('info', 'sign.done', {
    ms: 1.5,
    big: 2n ** 64n,
    isFirst: true,
    none: undefined,
    level: 'x',
  })
  child.log('debug', 'too.quiet')
  assert.deepEqual(
    lines.map((line) => JSON.parse(line)),
    [
      {
        time: '1970-01-01T00:00:00.000Z',
        level: 'info',
        event: 'sign.done',
        node: 1,
        requestId: 'req_1',
        ms: 1.5,
        big: '18446744073709551616',
        isFirst: true,
        level_: 'x',
      },
    ],
  )
})

test('no text can begin a line, drive a terminal or grow without bound', () => {
  for (const format of ['json', 'pretty'] as const) {
    const { logger, lines } = collect({ format })
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), fc.string({ unit: 'binary' }), (event, value) => {
        lines.length = 0
        logger.log('info', event, {
          value,
          [`x${value}`]: 1,
          esc: '\u001b[5m\u0007\r\n\u2028\u202e\u0085',
        })
        const own = format === 'pretty' ? uncoloured(lines[0]!) : lines[0]!
        assert.match(own, /^[^\p{Cc}\p{Zl}\p{Zp}\u202e]*\n$/u)
      }),
    )
    lines.length = 0
    logger.log('info', 'long', { value: 'x'.repeat(100_000) })
    assert.ok(lines[0]!.length < 2200)
  }
})

test('a secret that gets past the types is still not written', () => {
  const { logger, lines } = collect()
  logger.log('info', 'oops', { key: new Secret('hunter2') as unknown as string })
  assert.ok(!lines.join('').includes('hunter2'))
})

test('the pretty form is for people', () => {
  const { logger, lines } = collect({ format: 'pretty' })
  logger.log('warn', 'disk.low', { free: 5 })
  assert.equal(uncoloured(lines[0]!), '00:00:00.000 warn  disk.low free=5\n')
})

test('streams get the lines as they are', () => {
  const stream = new PassThrough()
  streamSink(stream).write('line\n')
  assert.equal(String(stream.read()), 'line\n')
})

test('files are private and turned over by size', (t) => {
  const path = join(scratch(t), 'node.log')
  const sink = fileSink(path, { maxBytes: 30, keep: 2 })
  for (let i = 0; i < 10; i++) sink.write(`line ${i} .....\n`)
  sink.close()
  assert.deepEqual(readdirSync(join(path, '..')).sort(), ['node.log', 'node.log.1', 'node.log.2'])
  assert.equal(readFileSync(path, 'utf8'), 'line 8 .....\nline 9 .....\n')
  assert.equal(readFileSync(`${path}.2`, 'utf8'), 'line 4 .....\nline 5 .....\n')
  assert.equal(statSync(path).mode & 0o777, 0o600)
  const again = fileSink(path, { maxBytes: 30, keep: 0 })
  again.write('one more line\n')
  assert.equal(readFileSync(path, 'utf8'), 'one more line\n')
  assert.equal(again.lost, 0)
  again.close()
})

test('a line that cannot be written is counted, not thrown', {
  skip: !existsSync('/dev/full'),
}, (t) => {
  const path = join(scratch(t), 'full.log')
  symlinkSync('/dev/full', path)
  const sink = fileSink(path, { maxBytes: 1000, keep: 1 })
  sink.write('lost\n')
  assert.equal(sink.lost, 1)
  sink.close()
  assert.throws(
    () => fileSink(join(path, 'below'), { maxBytes: 1, keep: 1 }),
    (error) => isFault(error, 'platform/file-unreadable'),
  )
})
