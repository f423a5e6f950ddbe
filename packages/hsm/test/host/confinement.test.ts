import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync, readFileSync } from 'node:fs'
import { describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import type { KeyId } from '@quorate/hsm'
import { PIN } from './fake-device.ts'
import { Bench, isAlive, isCode, until } from './kit.ts'

const isLinux = process.platform === 'linux'
const procFile = (pid: number, name: string): string => {
  try {
    return readFileSync(`/proc/${pid}/${name}`, 'latin1')
  } catch {
    // Closed to users, where these tests do not run as root.
    return ''
  }
}

describe('the process of a host', () => {
  test('has neither the PIN nor the environment of its parent', { skip: !isLinux }, async (t) => {
    process.env['QUORATE_TEST_MARK'] = 'inherited'
    t.after(() => delete process.env['QUORATE_TEST_MARK'])
    const hsm = await new Bench(t).open({ env: { VENDOR_CONF: '/etc/vendor' } })
    const pid = hsm.status().pid ?? 0
    const [environment, command] = [procFile(pid, 'environ'), procFile(pid, 'cmdline')]
    assert.doesNotMatch(environment, /inherited|PATH=/)
    assert.doesNotMatch(environment + command, new RegExp(PIN))
    assert.ok(environment === '' || environment.includes('VENDOR_CONF=/etc/vendor'))
    assert.match(command, /fake-child\.js/)
  })

  test('takes no variable that changes how Node runs', async (t) => {
    for (const name of ['NODE_OPTIONS', 'NODE_EXTRA_CA_CERTS', 'A=B'])
      await assert.rejects(
        new Bench(t).open({ env: { [name]: '--inspect' } }),
        isCode('hsm/bad-argument'),
      )
  })

  test('ends with its sessions when it is closed', async (t) => {
    const bench = new Bench(t)
    const hsm = await bench.open()
    await until(() => hsm.status().pool.open === 2, 'both sessions')
    const pid = hsm.status().pid ?? 0
    await hsm.close()
    assert.ok(!isAlive(pid))
    assert.equal(bench.calls('close'), 2)
    assert.equal(hsm.status().state, 'closed')
    await hsm.close()
  })

  test('ends when it is closed, whatever its sessions hang in', async (t) => {
    const bench = new Bench(t)
    const hsm = await bench.open()
    bench.plan('random', { kind: 'hang' })
    const hanging = assert.rejects(hsm.random(8), isCode('hsm/closed'))
    await until(() => bench.calls('random') === 1, 'the call')
    const pid = hsm.status().pid ?? 0
    await hsm.close()
    await hanging
    assert.ok(!isAlive(pid))
  })

  for (const state of ['idle', 'hanging'])
    test(`ends when its parent is killed, ${state} or not`, { skip: !isLinux }, async (t) => {
      const bench = new Bench(t)
      if (state === 'hanging') bench.plan('random', { kind: 'hang' })
      const script = fileURLToPath(new URL('./orphan-parent.js', import.meta.url))
      const parent = spawn(process.execPath, [script, bench.directory], {
        stdio: ['ignore', 'pipe', 'inherit'],
      })
      const [line] = (await once(parent.stdout, 'data')) as [Buffer]
      const pid = Number(line.toString())
      assert.ok(isAlive(pid))
      if (state === 'hanging') await until(() => bench.calls('random') === 1, 'the call')
      parent.kill('SIGKILL')
      await until(() => !isAlive(pid), 'the end of the host')
    })

  test('prints into the log, and not without end', async (t) => {
    const bench = new Bench(t)
    const hsm = await bench.open()
    bench.plan('random', { kind: 'print', text: 'vendor says\n' })
    await hsm.random(1)
    const printed = (): typeof bench.lines =>
      bench.lines.filter(({ event }) => event === 'hsm/host-output')
    await until(() => printed().length > 0, 'the line')
    assert.deepEqual(printed(), [
      { level: 'debug', event: 'hsm/host-output', text: '{"text":"vendor says"}' },
    ])
    bench.plan('random', { kind: 'print', text: `${'x'.repeat(40_000)}\n`.repeat(4) })
    await hsm.random(1)
    const length = (): number => printed().reduce((sum, { text }) => sum + text.length, 0)
    await until(() => length() > 1_000, 'the rest')
    assert.ok(length() < 70_000)
  })
})

describe('a host that sends what is no answer is killed, and the request done by the next', () => {
  const frames: { readonly [what: string]: string } = {
    'a length beyond all bounds': 'ffffffff',
    'a length of nothing': '00000000',
    'an answer to another request': '0000000500ffffff00',
    'an unknown status': '000000050000000309',
    'an unsolicited answer': '000000050000000000',
  }
  for (const [what, hex] of Object.entries(frames))
    test(what, async (t) => {
      const bench = new Bench(t)
      const hsm = await bench.open({ pool: { size: 1, maxOverflow: 0 } })
      bench.plan('random', { kind: 'write', fd: 4, hex })
      assert.equal((await hsm.random(16)).length, 16)
      assert.equal(hsm.status().ends.malformed, 1)
    })

  test('on the connection of an idle session too', async (t) => {
    const bench = new Bench(t)
    const hsm = await bench.open({ pool: { size: 2, maxOverflow: 0 } })
    await until(() => hsm.status().pool.open === 2, 'both sessions')
    bench.plan('random', { kind: 'write', fd: 5, hex: '000000050000000000' })
    assert.equal((await hsm.random(16)).length, 16)
    await until(() => hsm.status().ends.malformed === 1, 'the end of the host')
  })
})

test('descriptors of hosts that ended are closed', { skip: !isLinux }, async (t) => {
  const bench = new Bench(t)
  const hsm = await bench.open()
  await hsm.random(1)
  const before = readdirSync('/proc/self/fd').length
  for (let i = 0; i < 3; i++) {
    bench.plan('random', { kind: 'crash' })
    await hsm.random(1)
  }
  await until(() => readdirSync('/proc/self/fd').length <= before, 'closed descriptors')
})

test('large data crosses whole, and too large data is refused', async (t) => {
  const hsm = await new Bench(t).open()
  const { id } = await hsm.generateKey({ label: 'k', algorithm: 'aes-256' })
  const plaintext = new Uint8Array(3_000_001).fill(9)
  const encrypted = await hsm.encrypt(id, plaintext, MESSAGE)
  assert.deepEqual(await hsm.decrypt(id, encrypted, MESSAGE), plaintext)
  await assert.rejects(
    hsm.encrypt(id, new Uint8Array((1 << 24) + 65), MESSAGE),
    isCode('hsm/bad-argument'),
  )
  const ecdsa = await hsm.generateKey({ label: 's', algorithm: 'p256' })
  const signature = await hsm.sign(ecdsa.id as KeyId, { message: plaintext })
  assert.ok(await hsm.verify(ecdsa.id, { message: plaintext }, signature))
})

const MESSAGE = Uint8Array.of(1, 2, 3)
