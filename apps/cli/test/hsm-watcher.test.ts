/** The long-running look after devices: it tells how they are, and does what operators ask, until it is ended. */
import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, statSync, writeFileSync } from 'node:fs'
import { type IncomingMessage, request } from 'node:http'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { json } from 'node:stream/consumers'
import { type TestContext, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { AlertBook, openHsmState } from '@quorate/hsm'
import { systemClock } from '@quorate/platform'
import { cliIn, document, errorOf, scratch } from './support/cli.ts'

const LAUNCHER = fileURLToPath(new URL('../../bin/quorate.mjs', import.meta.url))

type Watching = {
  readonly devices: readonly { readonly name: string; readonly failure?: string }[]
  readonly rotates: boolean
  readonly metrics: string
  readonly socket: string
}

type Watcher = Watching & {
  /** What it wrote to stderr so far. */
  said(): string
  /** Ends it; gives its exit code. */
  end(signal: NodeJS.Signals): Promise<number | null>
}

function configIn(home: string, more: object): string {
  const file = join(home, 'hsm.json')
  const config = { type: 'simulated', directory: join(home, 'one'), ...more }
  writeFileSync(file, JSON.stringify(config), { mode: 0o600 })
  return file
}

/** `quorate hsm watch`, once it has said what it watches. */
async function watchIn(t: TestContext, home: string, config: string): Promise<Watcher> {
  const args = ['hsm', 'watch', '--hsm-config', config, '--port', '0', '--json']
  const child: ChildProcess = spawn(process.execPath, [LAUNCHER, ...args], {
    env: { PATH: process.env['PATH'], HOME: home, QUORATE_HOME: home },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  t.after(() => child.kill('SIGKILL'))
  const { stdout, stderr } = child
  assert.ok(stdout !== null && stderr !== null)
  let said = ''
  stderr.on('data', (part: Buffer) => {
    said += part.toString()
  })
  const [first] = (await Promise.race([
    once(createInterface({ input: stdout }), 'line'),
    once(child, 'exit'),
  ])) as [unknown]
  assert.equal(typeof first, 'string', said)
  return {
    ...(JSON.parse(String(first)) as Watching),
    said: () => said,
    async end(signal) {
      const ended = once(child, 'exit')
      child.kill(signal)
      const [code] = (await ended) as [number | null]
      return code
    },
  }
}

/** The status and the code of the problem that the watcher answers to a body of anybody's making. */
async function refusal(socketPath: string, act: string, body: unknown): Promise<unknown> {
  const headers = { host: 'localhost', 'content-type': 'application/json' }
  const outgoing = request({ socketPath, method: 'POST', path: `/api/v1/${act}`, headers })
  outgoing.end(JSON.stringify(body))
  const [answer] = (await once(outgoing, 'response')) as [IncomingMessage]
  return [answer.statusCode, ((await json(answer)) as { readonly code: string }).code]
}

type Alert = {
  readonly id: number
  readonly kind: string
  readonly state: string
  readonly acknowledged: { readonly by: string } | null
}
type Locks = {
  readonly locks: readonly { readonly role: string | null; readonly reason: string }[]
}
type Rotation = {
  readonly key: string
  readonly job: { readonly step: string; readonly newKey: string } | null
}

test('devices that open are watched, one that does not is named, and SIGTERM ends it', async (t) => {
  const home = scratch('home')
  const config = configIn(home, {
    failover: { secondary: `pkcs11:token=none?module-path=${join(home, 'none.so')}` },
    roles: { transaction_signer: { keyLabel: 'tx' } },
  })
  const watcher = await watchIn(t, home, config)
  assert.deepEqual(
    watcher.devices.map(({ name, failure }) => [name, failure !== undefined]),
    [
      ['primary', false],
      ['secondary', true],
    ],
    watcher.said(),
  )
  assert.equal(watcher.rotates, false)
  const text = await (await fetch(watcher.metrics)).text()
  assert.match(text, /^quorate_hsm_component_health\{component="primary"\} 1$/m)
  assert.match(text, /^quorate_hsm_audit_records_total \d+$/m)
  document(await cliIn(home)('hsm', 'failover', 'status', '--json'))
  assert.equal(await watcher.end('SIGTERM'), 0, watcher.said())
  assert.equal(existsSync(watcher.socket), false)
})

test('operators lock and unlock, and take care of alerts, while it holds the state', async (t) => {
  const home = scratch('home')
  const silent = { log: () => undefined, with: () => silent }
  const state = await openHsmState(join(home, 'hsm-state'))
  const book = new AlertBook({ state, clock: systemClock, logger: silent })
  await book.take({
    kind: 'fallback.used',
    severity: 'info',
    component: 'software',
    time: systemClock.now(),
    role: 'validator',
    left: 9,
  })
  await book.settled()
  await state.close()
  const { socket } = await watchIn(t, home, configIn(home, { alerting: { enabled: true } }))
  assert.equal(statSync(socket).mode & 0o777, 0o600)
  const quorate = cliIn(home)
  const hsm = (...args: readonly string[]) => quorate('hsm', ...args, '--json')
  const locks = async () => document<Locks>(await hsm('failover', 'status')).locks
  const alerts = async () =>
    document<{ readonly items: readonly Alert[] }>(await hsm('alerts', 'list')).items

  // The same document as without a watcher, and the alert that only a process which watches raises.
  assert.deepEqual(document(await hsm('lock', '--role', 'validator', '--reason', 'open')), {
    role: 'validator',
    reason: 'open',
  })
  assert.deepEqual(
    (await locks()).map(({ role, reason }) => [role, reason]),
    [['validator', 'open']],
  )
  assert.deepEqual(
    (await alerts()).map(({ id, kind, state: now }) => [id, kind, now]),
    [
      [2, 'signing.locked', 'open'],
      [1, 'fallback.used', 'open'],
    ],
  )
  const taken = document<Alert>(await hsm('alerts', 'acknowledge', '1', '--by', 'ada'))
  assert.deepEqual([taken.state, taken.acknowledged?.by], ['acknowledged', 'ada'])
  const lines = await quorate('hsm', 'alerts', 'resolve', '1', '--by', 'bob')
  assert.equal(lines.out, 'Alert 1 (fallback.used, software) is resolved by bob.\n')
  assert.equal((await alerts())[1]?.state, 'resolved')

  // Refused as without it: by the command before anybody is asked, else by the watcher.
  const unlock = ['unlock', '--role', 'validator', '--by', 'ada', '--confirm']
  assert.equal(errorOf(await hsm(...unlock, 'unlock every role')).code, 'cli/not-confirmed')
  const missing = await hsm('alerts', 'resolve', '99')
  assert.deepEqual([errorOf(missing).code, missing.code], ['hsm/alert-not-found', 4])
  const unnamed = await hsm('lock', '--role', 'No Role', '--reason', 'x')
  assert.deepEqual([errorOf(unnamed).code, unnamed.code], ['hsm/bad-argument', 2])
  const unknown = await hsm('failover', 'renew', '--name', 'none', '--confirm', 'none')
  assert.equal(errorOf(unknown).code, 'hsm/no-failover')
  const invalid = [422, 'platform/invalid-request']
  assert.deepEqual(await refusal(socket, 'lock', { reason: 5 }), invalid)
  assert.deepEqual(await refusal(socket, 'lock', { reason: 'x', for: 'ever' }), invalid)
  assert.deepEqual(await refusal(socket, 'alerts/resolve', { id: 1.5, by: 'eve' }), invalid)
  const wrong = { role: 'validator', by: 'eve', confirm: 'unlock' }
  assert.deepEqual(await refusal(socket, 'unlock', wrong), [400, 'hsm/confirmation-mismatch'])
  const other = { name: 'hsm', confirm: 'HSM' }
  assert.deepEqual(await refusal(socket, 'failover/renew', other), [400, 'cli/not-confirmed'])
  assert.deepEqual(await refusal(socket, 'destroy', {}), [404, 'platform/no-route'])
  assert.equal((await locks()).length, 1)

  assert.deepEqual(document(await hsm(...unlock, 'unlock validator')), {
    role: 'validator',
    by: 'ada',
    locks: [],
  })
  assert.deepEqual(await locks(), [])
})

test('a role is rotated by the watcher, at the word of an operator', async (t) => {
  const home = scratch('home')
  const config = configIn(home, {
    roles: { own: ['validator'], validator: { key: 'validator', requireHsm: false } },
    rotation: { intervalDays: 30, consumers: ['explorer'] },
  })
  const { socket } = await watchIn(t, home, config)
  const rotate = (...args: readonly string[]) =>
    cliIn(home)('hsm', 'rotate', ...args, '--hsm-config', config, '--json')
  const rotation = async (...args: readonly string[]) =>
    document<{ readonly items: readonly Rotation[] }>(await rotate(...args)).items[0]
  const named = ['--role', 'validator']

  const before = await rotation('status')
  assert.equal(before?.job, null)
  assert.equal(errorOf(await rotate('now', ...named)).code, 'cli/not-confirmed')
  const unconfirmed = { role: 'validator', confirm: 'yes' }
  assert.deepEqual(await refusal(socket, 'rotate/now', unconfirmed), [400, 'cli/not-confirmed'])
  assert.deepEqual(await rotation('status'), before)

  const announced = await rotation('now', ...named, '--confirm', 'validator')
  assert.deepEqual([announced?.key, announced?.job?.step], [before?.key, 'announce'])
  const again = await rotate('now', ...named, '--confirm', 'validator')
  assert.equal(errorOf(again).code, 'hsm/rotation-under-way')
  const key = announced?.job?.newKey ?? ''
  const accepted = await rotation('accept', ...named, '--consumer', 'explorer', '--key', key)
  assert.deepEqual([accepted?.key, accepted?.job?.step], [key, 'overlap'])
  assert.equal((await rotation('status'))?.key, key)
  const schedule = await rotate('schedule', '--count', '2')
  assert.equal(document<{ items: { times: string[] }[] }>(schedule).items[0]?.times.length, 2)
})

test('the socket of a watcher that was killed hinders nobody', async (t) => {
  const home = scratch('home')
  const config = configIn(home, {})
  const hsm = (...args: readonly string[]) => cliIn(home)('hsm', ...args, '--json')
  const first = await watchIn(t, home, config)
  await first.end('SIGKILL')
  assert.ok(existsSync(first.socket))

  // Whoever holds the state now does not listen there.
  const state = await openHsmState(join(home, 'hsm-state'))
  const held = await hsm('lock', '--reason', 'x')
  assert.deepEqual([errorOf(held).code, held.code], ['platform/directory-in-use', 4])
  await state.close()

  document(await hsm('lock', '--reason', 'x'))
  const second = await watchIn(t, home, config)
  assert.equal(second.socket, first.socket)
  document(await hsm('unlock', '--confirm', 'unlock every role'))
  assert.equal(await second.end('SIGTERM'), 0, second.said())
  assert.equal(existsSync(second.socket), false)
  assert.deepEqual(document<Locks>(await hsm('failover', 'status')).locks, [])
})
