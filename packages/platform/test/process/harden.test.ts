import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import test from 'node:test'
import { fileURLToPath } from 'node:url'

const cwd = fileURLToPath(new URL('.', import.meta.url))
const program = `
  import { hardenProcess } from '@quorate/platform'
  console.log(JSON.stringify(hardenProcess()))`

type Finding = { readonly what: string; readonly detail: string }
function findings(options: string[], limit: string, env = {}): Finding[] {
  const run = spawnSync(
    'sh',
    [
      '-c',
      `ulimit -c ${limit}; exec "$@"`,
      'sh',
      process.execPath,
      ...options,
      '--input-type=module',
      '-e',
      program,
    ],
    {
      cwd,
      env: { ...process.env, ...env },
      encoding: 'utf8',
    },
  )
  assert.equal(run.status, 0, run.stderr)
  return JSON.parse(run.stdout) as Finding[]
}

test('options that let memory out are found, on the command line and in NODE_OPTIONS', () => {
  assert.deepEqual(findings([], '0'), [])
  const found = findings(['--heapsnapshot-signal=SIGUSR2', '--report-on-signal'], '0', {
    NODE_OPTIONS: '--inspect-port=0',
  })
  assert.deepEqual(
    found.map(({ what }) => what),
    ['heap-snapshot', 'report', 'inspector'],
  )
  assert.ok(found.every(({ detail }) => !detail.includes('=')))
})

test('SIGUSR1 no longer opens the inspector', { skip: process.platform === 'win32' }, async () => {
  const child = spawn(
    process.execPath,
    [
      '--input-type=module',
      '-e',
      `import inspector from 'node:inspector'
      process.on('SIGUSR2', () => {
        console.log(JSON.stringify({ listeners: process.listenerCount('SIGUSR1'), url: inspector.url() ?? null }))
        process.exit()
      })
      setInterval(() => {}, 1e6)
      ${program}`,
    ],
    { cwd },
  )
  await once(child.stdout, 'data')
  child.kill('SIGUSR1')
  child.kill('SIGUSR2')
  const [text] = (await Promise.race([
    once(child.stdout, 'data'),
    once(child, 'close').then(() => assert.fail('it ended without an answer')),
  ])) as [Buffer]
  assert.deepEqual(JSON.parse(String(text)), { listeners: 1, url: null })
})
