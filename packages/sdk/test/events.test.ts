import assert from 'node:assert/strict'
import { test } from 'node:test'
import { toProblem } from '@quorate/api'
import { Fault, isFault, utf8 } from '@quorate/base'
import * as fc from 'fast-check'
import { parseEvents, readEvents, type StreamEvent } from '#src/events.js'

async function* chunksOf(text: string, sizes: readonly number[]): AsyncGenerator<Uint8Array> {
  const bytes = utf8(text)
  let at = 0
  for (const size of sizes) {
    yield bytes.subarray(at, at + size)
    at += size
  }
  yield bytes.subarray(at)
}

async function all<T>(source: AsyncIterable<T>): Promise<readonly T[]> {
  const items: T[] = []
  for await (const item of source) items.push(item)
  return items
}

const TEXT = [
  ': open',
  '',
  'id: 1',
  'event: operation',
  'data: {"a":"é"}',
  '',
  ': still here',
  '',
  'data:one',
  'data: two',
  'unknown: x',
  '',
  'event: without data',
  '',
  'event: cut off',
  'data: never sent whole',
].join('\n')

const EVENTS: readonly StreamEvent[] = [
  { event: 'operation', data: '{"a":"é"}' },
  { event: 'message', data: 'one\ntwo' },
]

test('events come out alike however their bytes are cut, with every kind of line end', async () => {
  assert.deepEqual(await all(parseEvents(chunksOf(TEXT, []))), EVENTS)
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.nat(20), { maxLength: 30 }),
      fc.constantFrom('\n', '\r\n', '\r'),
      async (sizes, end) => {
        const text = `${TEXT.replaceAll('\n', end)}`
        assert.deepEqual(await all(parseEvents(chunksOf(text, sizes))), EVENTS)
      },
    ),
  )
})

test('only events of that name count, and a problem is thrown', async () => {
  const problem = toProblem(new Fault('node/unknown-operation'), 'req_1')
  const text = `event: other\ndata: 1\n\nevent: operation\ndata: {"n":2}\n\nevent: problem\ndata: ${JSON.stringify(problem)}\n\n`
  const seen: unknown[] = []
  await assert.rejects(
    async () => {
      for await (const each of readEvents(chunksOf(text, []), 'operation')) seen.push(each)
    },
    (error) => isFault(error, 'node/unknown-operation'),
  )
  assert.deepEqual(seen, [{ n: 2 }])
  await assert.rejects(
    all(readEvents(chunksOf('event: operation\ndata: {\n\n', []), 'operation')),
    (error) => isFault(error, 'sdk/bad-answer'),
  )
})
