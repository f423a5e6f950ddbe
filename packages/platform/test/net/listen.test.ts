import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import net from 'node:net'
import { join } from 'node:path'
import test from 'node:test'
import { isFault } from '@quorate/base'
import { addressText, listen } from '@quorate/platform'
import { scratch } from '../scratch.js'

test('the socket file of a process that died is replaced; one that answers is not', async (t) => {
  const path = join(scratch(t), 'x.sock')
  const dying = `require('node:net').createServer().listen(${JSON.stringify(path)}, () => process.kill(process.pid, 'SIGKILL'))`
  assert.equal(spawnSync(process.execPath, ['-e', dying]).signal, 'SIGKILL')
  assert.ok(existsSync(path))
  const [first, second] = [net.createServer(), net.createServer()]
  t.after(() => first.close())
  await listen(first, { path })
  await assert.rejects(listen(second, { path }), (error) => isFault(error, 'platform/port-taken'))
})

test('addresses that cannot be are refused', async () => {
  const server = net.createServer()
  const cannot = (error: unknown): boolean => isFault(error, 'platform/cannot-listen')
  await assert.rejects(listen(server, { path: `/tmp/${'x'.repeat(200)}` }), cannot)
  await assert.rejects(listen(server, { path: '/nowhere/at/all.sock' }), cannot)
  await assert.rejects(listen(server, { host: '192.0.2.1', port: 0 }), cannot)
  assert.equal(addressText({ host: '::1', port: 5 }), '[::1]:5')
})
