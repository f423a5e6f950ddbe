/** The commands for NATS, with the nats-server of the system where it is installed. */
import assert from 'node:assert/strict'
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { cliIn, document, errorOf, scratch } from './support/cli.js'

const SERVER_PATH = `${process.env['PATH'] ?? ''}:/usr/sbin`
const hasServer =
  spawnSync('nats-server', ['--version'], { env: { PATH: SERVER_PATH } }).status === 0
const skip = hasServer ? false : 'nats-server is not installed'

async function natsServer(t: TestContext): Promise<string> {
  const probe = createServer().listen(0, '127.0.0.1')
  await once(probe, 'listening')
  const { port } = probe.address() as { port: number }
  probe.close()
  await once(probe, 'close')
  const child: ChildProcess = spawn(
    'nats-server',
    ['-a', '127.0.0.1', '-p', String(port), '-js', '-sd', scratch()],
    { stdio: ['ignore', 'ignore', 'pipe'], env: { PATH: SERVER_PATH } },
  )
  t.after(() => child.kill('SIGKILL'))
  let log = ''
  await new Promise<void>((resolve, reject) => {
    child.stderr!.on('data', (part: Buffer) => {
      log += part.toString()
      if (log.includes('Server is ready')) resolve()
    })
    child.once('exit', () => reject(new Error(log)))
  })
  return `nats://127.0.0.1:${port}`
}

test('setup makes what a cluster needs on a server, and finds it there the next time', {
  skip,
}, async (t) => {
  const url = await natsServer(t)
  const cli = cliIn(scratch())
  for (let i = 0; i < 2; i++)
    assert.deepEqual(
      document(await cli('nats', 'setup', '--nats-url', url, '--prefix', 'acme.sign', '--json')),
      { streams: ['acme_sign_requests', 'acme_sign_responses', 'KV_acme_sign_nodes'] },
    )
})

test('a development cluster over NATS, and what its nodes may do on the server', {
  skip,
}, async (t) => {
  const url = await natsServer(t)
  const home = scratch()
  const cli = cliIn(home)
  t.after(() => cli('down'))
  const up = document<{ nats: string; nodes: readonly object[] }>(
    await cli('up', '--bus', 'nats', '--nats-url', url, '--port', '0', '--json'),
  )
  assert.deepEqual([up.nats, up.nodes.length], [url, 3])
  const config = readFileSync(join(home, 'dev/node-1/quorate.yaml'), 'utf8')
  assert.match(config, /^bus: nats$/m)

  // The others hold a checkpoint of each, over NATS as over the mesh.
  const anchored = async (): Promise<boolean> => {
    const { nodes } = document<{
      nodes: readonly { status: { audit: { rollbackDetectable: boolean } } }[]
    }>(await cli('status', '--json'))
    return nodes.every(({ status }) => status.audit.rollbackDetectable)
  }
  // The first checkpoint is signed ten seconds after the start.
  for (let i = 0; !(await anchored()); i++) {
    assert.ok(i < 60, 'no checkpoint is anchored')
    await sleep(500)
  }

  const again = await cli('up', '--bus', 'mesh', '--json')
  assert.equal(errorOf(again).code, 'cli/still-running')
  await cli('down')
  // Taken up again as it was.
  assert.equal(document<{ nats: string }>(await cli('up', '--port', '0', '--json')).nats, url)

  const key = (letter: string): string => `U${letter.repeat(55)}`
  const args = ['nats', 'permissions', '--cluster', join(home, 'dev/cluster.cbor')]
  const nodes = ['--node', `1=${key('A')}`, '--node', `2=${key('B')}`, '--node', `3=${key('C')}`]
  const rest = ['--client', `shop=${key('D')}`, '--setup', key('E')]
  const { out, code } = await cli(...args, ...nodes, ...rest)
  assert.equal(code, 0)
  assert.match(out, /^authorization: \{$/m)
  for (const letter of ['A', 'B', 'C', 'D', 'E']) assert.ok(out.includes(`nkey: ${key(letter)}`))

  for (const wrong of [
    [...nodes.slice(2), ...rest],
    [...nodes, '--node', `4=${key('F')}`, ...rest],
    [...nodes, ...rest.slice(0, 2), '--setup', `S${key('E').slice(1)}`],
    [...nodes, ...rest.slice(0, 2), '--setup', key('A')],
    [...nodes, '--client', `a.b=${key('D')}`, '--setup', key('E')],
  ]) {
    const ran = await cli(...args, ...wrong, '--json')
    assert.equal(errorOf(ran).code, 'cli/bad-value', wrong.join(' '))
  }
})

test('what is no bus or no address of a server is refused before anything is made', async () => {
  const cli = cliIn(scratch())
  for (const words of [
    ['--bus', 'pigeon'],
    ['--nats-url', 'nats://127.0.0.1:4222'],
    ['--bus', 'nats', '--nats-url', 'nats://user:secret@127.0.0.1:4222'],
  ])
    assert.equal(
      errorOf(await cli('up', ...words, '--json')).code,
      'cli/bad-value',
      words.join(' '),
    )
})
