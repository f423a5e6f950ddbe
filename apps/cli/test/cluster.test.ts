/** One development cluster, in a home whose path is too long for sockets, for all tests of this file. */
import assert from 'node:assert/strict'
import { chmodSync, existsSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import net from 'node:net'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { cliIn, document, errorOf, type Ran, scratch } from './support/cli.js'

const home = scratch('a-home-with-a-long-name-'.repeat(4))
const cli = cliIn(home)
const at = (name: string): string => join(home, name)

type Up = {
  readonly wasRunning: boolean
  readonly isNew: boolean
  readonly nodes: readonly {
    readonly pid: number
    readonly signerPid: number
    readonly socket: string
  }[]
}
type Wallet = {
  readonly id: string
  readonly address: string
  readonly label: string
  readonly threshold: number
}

let first: Up
before(async () => {
  first = document<Up>(await cli('up', '--port', '0', '--json'))
})
after(async () => {
  await cli('down')
  const { code } = await cli('reset', '--confirm', 'reset')
  assert.equal(code, 0)
  assert.ok(!existsSync(join(home, 'dev')))
  assert.ok(first.nodes.every(({ socket }) => !existsSync(socket)))
})

const refusedWith = (ran: Ran, exit: number, code: string): void => {
  assert.equal(ran.code, exit, ran.err)
  assert.equal(errorOf(ran).code, code)
  assert.equal(ran.out, '')
}

test('up starts three daemons with a signer each, and a second up finds them', async () => {
  assert.deepEqual([first.isNew, first.wasRunning, first.nodes.length], [true, false, 3])
  const pids = first.nodes.flatMap(({ pid, signerPid }) => [pid, signerPid])
  assert.equal(new Set(pids).size, 6)
  for (const pid of pids) process.kill(pid, 0)
  for (const { socket } of first.nodes) assert.equal(statSync(socket).mode & 0o777, 0o600)
  const again = document<Up>(await cli('up', '--port', '0', '--json'))
  assert.deepEqual([again.isNew, again.wasRunning], [false, true])
  assert.deepEqual(again.nodes, first.nodes)
  refusedWith(await cli('up', '--nodes', '5', '--json'), 4, 'cli/other-size')
})

test('keys and data are for their owner only', () => {
  for (const name of ['operator', 'signer', 'auditor', 'admin'])
    assert.equal(statSync(join(home, 'dev', 'client', `${name}.json`)).mode & 0o777, 0o600)
  for (const name of ['dev', 'dev/node-1', 'dev/client'])
    assert.equal(statSync(join(home, name)).mode & 0o777, 0o700)
})

test('status shows that each node sees the others', async () => {
  type Status = {
    readonly nodes: readonly {
      readonly status: { readonly peers: readonly { readonly state: string }[] }
    }[]
  }
  const { nodes } = document<Status>(await cli('status', '--json'))
  assert.equal(nodes.length, 3)
  for (const { status } of nodes)
    assert.deepEqual(
      status.peers.map(({ state }) => state),
      ['connected', 'connected'],
    )
  assert.match((await cli('status')).out, /up, sees 2 of 2 others/)
  assert.match((await cli('logs', '2', '--lines', '500')).out, /node\.started/)
  refusedWith(await cli('logs', '9', '--json'), 4, 'cli/unknown-node')
})

test('a second process on a data directory is refused', async () => {
  const ran = await cli(
    'node',
    'start',
    '--config',
    join(home, 'dev', 'node-1', 'quorate.yaml'),
    '--json',
  )
  assert.equal(ran.code, 4)
  assert.equal(errorOf(ran).code, 'platform/directory-in-use')
})

test('a wallet is made, listed, shown; its transaction is shown, signed and verified', async () => {
  const { wallet } = document<{ wallet: Wallet }>(
    await cli('wallet', 'create', '--name', 'first', '--json'),
  )
  assert.match(wallet.address, /^tb1p/)
  assert.equal(wallet.threshold, 2)
  const { items } = document<{ items: readonly Wallet[] }>(await cli('wallet', 'list', '--json'))
  assert.deepEqual(
    items.map(({ id }) => id),
    [wallet.id],
  )
  assert.deepEqual(
    document<Wallet>(await cli('wallet', 'show', wallet.id, '--json')),
    document<Wallet>(await cli('wallet', 'show', 'first', '--json')),
  )
  refusedWith(await cli('wallet', 'create', '--name', 'first', '--json'), 4, 'enclave/label-taken')

  const psbt = at('payment.psbt')
  assert.equal((await cli('tx', 'new', '--wallet', 'first', '--out', psbt)).code, 0)
  const shown = await cli('tx', 'show', psbt)
  assert.match(shown.out, /comes back to this wallet/)
  assert.match(shown.out, /fee 0\.\d+ BTC/)
  assert.match(shown.out, /Policy allows it/)
  assert.equal(
    document<{ decision: string }>(await cli('policy', 'why', psbt, '--wallet', 'first', '--json'))
      .decision,
    'allow',
  )

  type Signed = {
    readonly txid: string
    readonly signed: string
    readonly signers: readonly number[]
    readonly signatures: readonly { readonly signature: string }[]
  }
  const signed = document<Signed>(await cli('tx', 'sign', psbt, '--wallet', 'first', '--json'))
  assert.equal(signed.signers.length, 2)
  assert.equal(signed.signatures.length, 3)
  for (const { signature } of signed.signatures) assert.equal(signature.length, 128)
  assert.equal(
    (
      await cli(
        'tx',
        'sign',
        psbt,
        '--wallet',
        'first',
        '--format',
        'psbt',
        '--out',
        at('signed.psbt'),
      )
    ).code,
    0,
  )
  assert.equal(readFileSync(at('signed.psbt')).subarray(0, 4).toString(), 'psbt')
  assert.equal(
    (await cli('tx', 'verify', '--unsigned', psbt, '--signed', at('signed.psbt'))).code,
    0,
  )
  const broken = `${signed.signed.slice(0, -20)}${'0'.repeat(20)}`
  const altered = await cli(
    'tx',
    'verify',
    '--unsigned',
    psbt,
    '--signed',
    broken,
    '--wallet',
    'first',
    '--json',
  )
  assert.equal(altered.code, 6)
  assert.equal(errorOf(altered).code, 'cli/does-not-verify')
  assert.equal((JSON.parse(altered.out) as { isValid: boolean }).isValid, false)
})

test('a Solana wallet signs, too, and does not take a PSBT', async () => {
  await cli('wallet', 'create', '--network', 'solana-devnet', '--name', 'sol', '--json')
  const made = document<{ unsigned: string }>(
    await cli('tx', 'new', '--wallet', 'sol', '--lamports', '5', '--json'),
  )
  const signed = document<{ txid: string }>(
    await cli('tx', 'sign', made.unsigned, '--wallet', 'sol', '--json'),
  )
  assert.match(signed.txid, /^[1-9A-HJ-NP-Za-km-z]{80,90}$/)
  refusedWith(
    await cli('tx', 'sign', at('payment.psbt'), '--wallet', 'sol', '--json'),
    2,
    'chains/malformed-transaction',
  )
  refusedWith(
    await cli('tx', 'sign', made.unsigned, '--wallet', 'sol', '--format', 'psbt', '--json'),
    2,
    'chains/unknown-format',
  )
  refusedWith(
    await cli('tx', 'new', '--wallet', 'sol', '--fee-rate', '2', '--json'),
    2,
    'cli/bad-value',
  )
})

test('wrong input is a coded error that says what to do', async () => {
  refusedWith(await cli('wallet', 'show', 'nobody', '--json'), 4, 'cli/unknown-wallet')
  refusedWith(
    await cli('tx', 'sign', '00112233445566778899', '--wallet', 'first', '--json'),
    2,
    'chains/malformed-transaction',
  )
  refusedWith(
    await cli('tx', 'show', 'nowhere.psbt', '--wallet', 'first', '--json'),
    4,
    'cli/file-not-found',
  )
  refusedWith(
    await cli('wallet', 'create', '--network', 'bitcoin-tesnet', '--json'),
    4,
    'chains/unknown-network',
  )
  refusedWith(
    await cli('wallet', 'create', '--network', 'bitcoin', '--json'),
    3,
    'enclave/mainnet-in-development',
  )
  refusedWith(await cli('wallet', 'create', '--threshold', '4', '--json'), 2, 'api/bad-threshold')
  refusedWith(await cli('wallet', 'create', '--threshold', '1', '--json'), 2, 'api/bad-threshold')
  refusedWith(
    await cli('wallet', 'create', '--policy', 'anything', '--json'),
    2,
    'policy/unknown-template',
  )
  refusedWith(
    await cli(
      'tx',
      'new',
      '--wallet',
      'first',
      '--to',
      'bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4',
      '--json',
    ),
    2,
    'cli/bad-value',
  )
})

test('a client without the role is refused', async () => {
  const socket = first.nodes[0]?.socket ?? ''
  const role = [
    '--url',
    `unix:${socket}`,
    '--cluster',
    join(home, 'dev', 'cluster.cbor'),
    '--client',
    join(home, 'dev', 'client', 'auditor.json'),
  ]
  assert.equal((await cli('wallet', 'list', ...role)).code, 0)
  refusedWith(await cli('wallet', 'create', ...role, '--json'), 3, 'sdk/no-credential')
  const key = join(home, 'dev', 'client', 'auditor.json')
  chmodSync(key, 0o644)
  refusedWith(await cli('wallet', 'list', ...role, '--json'), 5, 'platform/file-unreadable')
  chmodSync(key, 0o600)
})

test('audit logs verify, and an altered one does not', async () => {
  const verified = document<{ isOk: boolean; logs: readonly object[] }>(
    await cli('audit', 'verify', '--json'),
  )
  assert.deepEqual([verified.isOk, verified.logs.length], [true, 3])
  const exported = await cli('audit', 'show', '--node', '2', '--json')
  writeFileSync(at('audit.json'), exported.out)
  assert.equal((await cli('audit', 'verify', at('audit.json'))).code, 0)
  const log = JSON.parse(exported.out) as { records: { h: string }[] }
  log.records.splice(1, 1)
  writeFileSync(at('altered.json'), JSON.stringify(log))
  const altered = await cli('audit', 'verify', at('altered.json'), '--json')
  assert.equal(altered.code, 6)
  assert.match(altered.out, /record-removed/)
  writeFileSync(at('no-log.json'), '{"records":[1]}')
  refusedWith(await cli('audit', 'verify', at('no-log.json'), '--json'), 2, 'cli/bad-file')
})

test('doctor finds a healthy cluster, and says loudly what the simulated HSM is worth', async () => {
  const { isOk, findings } = document<{
    isOk: boolean
    findings: readonly { what: string; level: string }[]
  }>(await cli('doctor', '--json'))
  assert.equal(isOk, true)
  assert.ok(findings.some(({ what, level }) => what === 'HSM' && level === 'warning'))
  chmodSync(join(home, 'dev', 'node-3'), 0o750)
  const open = await cli('doctor')
  chmodSync(join(home, 'dev', 'node-3'), 0o700)
  assert.equal(open.code, 7)
  assert.match(open.out, /ERROR {3}node 3: others can reach/)
})

test('reset wants the word, and refuses while nodes run', async () => {
  refusedWith(await cli('reset', '--confirm', 'reset', '--json'), 4, 'cli/still-running')
  refusedWith(await cli('reset', '--down', '--json'), 2, 'cli/not-confirmed')
  refusedWith(await cli('reset', '--down', '--confirm', 'yes', '--json'), 2, 'cli/not-confirmed')
  process.kill(first.nodes[0]?.pid ?? 0, 0)
})

test('after a stop the data are taken up again', async () => {
  assert.equal(document<{ stopped: number }>(await cli('down', '--json')).stopped, 3)
  const away = await cli('wallet', 'list', '--json')
  assert.equal(away.code, 5)
  const taken = net.createServer()
  const port = await new Promise<number>((resolve) => {
    taken.listen(0, '127.0.0.1', () => resolve((taken.address() as net.AddressInfo).port))
  })
  const refused = await cli('up', '--port', String(port), '--json')
  taken.close()
  assert.equal(errorOf(refused).code, 'platform/port-taken')
  assert.equal(refused.code, 4)
  assert.match(errorOf(refused).message, new RegExp(`127\\.0\\.0\\.1:${port}; quorate up --port`))
  chmodSync(join(home, 'dev', 'node-2'), 0o755)
  const unready = await cli('up', '--port', '0', '--json')
  chmodSync(join(home, 'dev', 'node-2'), 0o700)
  refusedWith(unready, 3, 'platform/directory-mode')
  assert.match(errorOf(unready).message, /node 2/)
  type FirstRun = { readonly isFirst: boolean; readonly wallets: readonly string[] }
  const again = document<FirstRun>(await cli('up', '--first-run', '--port', '0', '--json'))
  assert.deepEqual([again.isFirst, again.wallets.length], [false, 2])
  const { items } = document<{ items: readonly Wallet[] }>(await cli('wallet', 'list', '--json'))
  assert.deepEqual(items.map(({ id }) => id).sort(), [...again.wallets].sort())
})
