import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { type FaultCode, fromUtf8, isFault } from '@quorate/base'
import { endpointAt } from '#src/remote/endpoint.js'
import { callRpc } from '#src/remote/json-rpc.js'
import { type Answer, type FakeNetwork, rpcAnswers, startNetwork } from '../support/network.js'

let answer: Answer
let network: FakeNetwork
before(async () => {
  network = await startNetwork((asked) => answer(asked))
})
after(() => network.close())

/** None of it may be seen anywhere. */
const KEY = 'S3cretKey'

const hidesKey = (error: unknown): boolean => {
  const { message, stack, detail, cause } = error as {
    readonly message: string
    readonly stack: string
    readonly detail?: string
    readonly cause?: unknown
  }
  return ![message, stack, detail, String(cause)].some((text) => text?.includes(KEY) === true)
}

const refused =
  (code: FaultCode, detail = '') =>
  (error: unknown): boolean =>
    isFault(error, code) && (error.detail ?? '').includes(detail) && hidesKey(error)

test('only https, and http to this machine, are taken unless told', () => {
  for (const url of [
    'https://node.example/v3/key',
    'http://localhost:1',
    'http://127.0.0.1',
    'http://[::1]:8545',
  ])
    endpointAt(url, false)
  endpointAt('http://node.example', true)
  for (const url of [
    'http://node.example',
    'http://127.0.0.1.example',
    'http://10.0.0.1',
    'http://localhost.example',
  ])
    assert.throws(() => endpointAt(url, false), refused('cli/unsafe-url'))
  for (const url of [
    '',
    'node.example',
    `ftp://${KEY}.example`,
    'file:///etc/passwd',
    `wss://${KEY}`,
  ])
    assert.throws(() => endpointAt(url, true), refused('cli/bad-value'))
})

test('path, query and password of the URL are kept, and go where they belong', async () => {
  answer = () => ({ body: 'ok' })
  const { port } = new URL(network.url)
  const at = endpointAt(`http://me:${KEY}%21@127.0.0.1:${port}/api/v1/?key=${KEY}`, false)
  const { status, body } = await at.get('/tx/1')
  await at.post('', 'application/json', '{}')
  assert.deepEqual([status, fromUtf8(body)], [200, 'ok'])
  assert.deepEqual(
    network.asked
      .slice(-2)
      .map(({ line, body: sent, authorization }) => [line, sent, authorization]),
    [
      [`GET /api/v1/tx/1?key=${KEY}`, '', `Basic ${btoa(`me:${KEY}!`)}`],
      [`POST /api/v1/?key=${KEY}`, '{}', `Basic ${btoa(`me:${KEY}!`)}`],
    ],
  )
})

test('a refusal is told in our own words, with those of the node as its cause only', async () => {
  const at = endpointAt(`${network.url}/${KEY}`, false)
  const said = 'insufficient funds for gas * price \u001b[31m'
  answer = rpcAnswers({ eth_x: () => ({ error: { code: -32000, message: said } }) })
  await assert.rejects(callRpc(at, 'eth_x'), (error) => {
    assert.ok(refused('cli/rpc-refused', 'eth_x: the account does not hold enough (-32000)')(error))
    assert.ok(!(error as Error).message.includes('gas * price'))
    assert.match(String((error as Error).cause), /gas \* price/)
    return true
  })
  answer = () => ({ status: 429, body: 'slow down' })
  await assert.rejects(callRpc(at, 'eth_x'), refused('cli/rpc-refused', 'too many requests (429)'))
})

test('answers that make no sense are refused', async () => {
  const at = endpointAt(`${network.url}/${KEY}`, false)
  for (const body of ['', '<html>', '[]', 'null', '{}', '"x"', '{"error":null}']) {
    answer = () => ({ body })
    await assert.rejects(callRpc(at, 'eth_x'), refused('cli/rpc-bad-answer', 'eth_x'))
  }
  answer = () => ({ body: ' '.repeat((16 << 20) + 1) })
  await assert.rejects(callRpc(at, 'eth_x'), refused('cli/rpc-bad-answer', '16 MiB'))
})

test('a node that sends requests on, or is not there, is one that cannot be reached', async () => {
  const at = endpointAt(`${network.url}/${KEY}`, false)
  answer = () => ({ status: 307, body: '', location: `http://elsewhere.example/${KEY}` })
  await assert.rejects(callRpc(at, 'eth_x'), refused('cli/rpc-unreachable'))
  const gone = await startNetwork(() => ({ body: '' }))
  await gone.close()
  await assert.rejects(
    callRpc(endpointAt(`${gone.url}/${KEY}`, false), 'eth_x'),
    refused('cli/rpc-unreachable', 'ECONNREFUSED'),
  )
})
