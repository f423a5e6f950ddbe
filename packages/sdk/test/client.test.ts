import assert from 'node:assert/strict'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import type { OperationJson } from '@quorate/api'
import { type FaultCode, type Id, isFault } from '@quorate/base'
import { NodeClient } from '@quorate/sdk'

const fails = (code: FaultCode) => (error: unknown) => isFault(error, code)

const operation = (kind: OperationJson['kind'], state: OperationJson['state']): OperationJson => ({
  id: 'op_00000000000000000000000001',
  kind,
  state,
  project: 'prj_00000000000000000000000001',
  requestId: 'req_00000000000000000000000001',
  createdAt: '2026-01-01T00:00:00.000Z',
  updatedAt: '2026-01-01T00:00:00.000Z',
})

/** A node that says an operation runs until its client has waited so long. */
const directory = mkdtempSync(join(tmpdir(), 'quorate-sdk-'))
const socketPath = join(directory, 'api')
let now = 0
let kind: OperationJson['kind'] = 'sign'
let doneAt = 0
let server: Server
before(async () => {
  server = createServer((_, response) => {
    response.setHeader('content-type', 'application/json')
    response.end(JSON.stringify(operation(kind, now >= doneAt ? 'done' : 'running')))
  }).listen(socketPath)
  await once(server, 'listening')
})
after(() => {
  server.close()
  rmSync(directory, { recursive: true })
})

/** Waits for an operation by a clock of the test's own; gives the pauses between two looks. */
async function wait(
  of: OperationJson['kind'],
  ms: number,
): Promise<{ readonly pauses: readonly number[]; readonly state: string }> {
  const pauses: number[] = []
  now = 0
  kind = of
  doneAt = ms
  const client = new NodeClient({
    endpoint: { socketPath },
    cluster: new Uint8Array(32),
    credentials: [
      {
        client: 'cli_00000000000000000000000001' as Id<'cli'>,
        role: 'operator',
        project: 'prj_00000000000000000000000001' as Id<'prj'>,
        signer: {
          scheme: 'ed25519',
          publicKey: new Uint8Array(32),
          sign: () => Promise.resolve(new Uint8Array(64)),
        },
      },
    ],
    clock: { now: () => now, monotonic: () => now },
    random: { bytes: (length) => new Uint8Array(length) },
    sleep(pause) {
      pauses.push(pause)
      now += pause
      return Promise.resolve()
    },
  })
  const { state } = await client.wait(operation(of, 'running'))
  return { pauses, state }
}

test('a quick operation is looked at often, a long one seldom', async () => {
  const { pauses, state } = await wait('createWallet', 30_000)
  assert.equal(state, 'done')
  assert.deepEqual(pauses.slice(0, 3), [60, 60, 60])
  assert.equal(pauses.at(-1), 500)
  assert.ok(pauses.every((pause, i) => i === 0 || pause >= pauses[i - 1]!))
  assert.ok(pauses.length < 150)
})

test('a wallet may take a quarter of an hour, a signature two minutes', async () => {
  assert.equal((await wait('createWallet', 14 * 60_000)).state, 'done')
  assert.equal((await wait('refresh', 14 * 60_000)).state, 'done')
  assert.equal((await wait('sign', 110_000)).state, 'done')
  await assert.rejects(wait('createWallet', 16 * 60_000), fails('sdk/timeout'))
  await assert.rejects(wait('sign', 130_000), fails('sdk/timeout'))
})
