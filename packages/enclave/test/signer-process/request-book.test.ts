import assert from 'node:assert/strict'
import { test } from 'node:test'
import { systemClock } from '@quorate/platform'
import { partyId } from '@quorate/threshold'
import type { RequestRow } from '../../src/channel/rows.ts'
import { type Answer, RequestBook } from '../../src/signer-process/request-book.ts'

const HASH = new Uint8Array(32).fill(7)
const row: RequestRow = {
  client: 'cli_1',
  requestId: 'req_1',
  hash: HASH,
  until: Number.MAX_SAFE_INTEGER,
  answer: null,
}
const answer = (byte: number): Answer => ({
  sid: new Uint8Array(32).fill(byte),
  attempt: 0,
  signers: [partyId(1), partyId(2)],
  signatures: [new Uint8Array(64).fill(byte)],
})
const bookWithRow = (): RequestBook => new RequestBook(systemClock, [row], 0)
const written = (): Promise<void> => Promise.resolve()

test('a request has the first answer that was written, and no other', async () => {
  const book = bookWithRow()
  assert.equal(book.answerTo(HASH), undefined)
  await book.settle(HASH, answer(1), written)
  assert.deepEqual(book.answerTo(HASH), answer(1))
  await assert.rejects(book.settle(HASH, answer(2), written), { code: 'enclave/already-signed' })
  await book.settle(HASH, answer(1), written)
  assert.deepEqual(book.answerTo(HASH), answer(1))
})

test('another answer is refused while the first is being written', async () => {
  const book = bookWithRow()
  let resolve = (): void => undefined
  const promise = new Promise<void>((done) => {
    resolve = done
  })
  const first = book.settle(HASH, answer(1), () => promise)
  let isWritten = false
  const second = book.settle(HASH, answer(2), () => {
    isWritten = true
    return Promise.resolve()
  })
  await assert.rejects(second, { code: 'enclave/already-signed' })
  assert.equal(isWritten, false)
  assert.equal(book.answerTo(HASH), undefined)
  resolve()
  await first
  assert.deepEqual(book.answerTo(HASH), answer(1))
})

test('an answer that could not be written is none', async () => {
  const book = bookWithRow()
  const full = new Error('no space left on device')
  await assert.rejects(
    book.settle(HASH, answer(1), () => Promise.reject(full)),
    full,
  )
  assert.equal(book.answerTo(HASH), undefined)
  await book.settle(HASH, answer(2), written)
  assert.deepEqual(book.answerTo(HASH), answer(2))
})
