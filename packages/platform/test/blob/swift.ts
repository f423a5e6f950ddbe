/**
 * OpenStack Swift with its S3 interface: a server of the protocol that is not ours and checks signatures. Four
 * processes on loopback, with one device in a scratch directory.
 */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir, userInfo } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'

const STORAGE = ['object', 'container', 'account'] as const
const START_MS = 60_000

export type S3Server = {
  readonly endpoint: string
  readonly region: string
  readonly accessKeyId: string
  readonly secretAccessKey: string
  close(): void
}

/** Why Swift cannot be started here, or nothing. */
export function whyNoSwift(): string | undefined {
  for (const kind of ['proxy', ...STORAGE])
    try {
      execFileSync('which', [`swift-${kind}-server`], { stdio: 'ignore' })
    } catch {
      return `Swift is not installed (Debian: apt-get install swift-proxy ${STORAGE.map((each) => `swift-${each}`).join(' ')})`
    }
  return undefined
}

export async function startSwift(): Promise<S3Server> {
  const root = mkdtempSync(join(tmpdir(), 'quorate-swift-'))
  mkdirSync(join(root, 'devices/one'), { recursive: true })
  mkdirSync(join(root, 'cache'))
  const write = (name: string, ...lines: readonly string[]): void =>
    writeFileSync(join(root, name), `${lines.join('\n')}\n`)
  const common = (port: number): readonly string[] => [
    '[DEFAULT]',
    'bind_ip = 127.0.0.1',
    `bind_port = ${port}`,
    'workers = 0',
    `user = ${userInfo().username}`,
    `swift_dir = ${root}`,
  ]
  write('swift.conf', '[swift-hash]', 'swift_hash_path_suffix = s', 'swift_hash_path_prefix = p')
  const [proxyPort, ...ports] = await freePorts(1 + STORAGE.length)
  STORAGE.forEach((kind, i) => {
    write(
      `${kind}.conf`,
      ...common(ports[i]!),
      `devices = ${join(root, 'devices')}`,
      'mount_check = false',
      '[pipeline:main]',
      `pipeline = ${kind}-server`,
      `[app:${kind}-server]`,
      `use = egg:swift#${kind}`,
      `recon_cache_path = ${join(root, 'cache')}`,
    )
    const ring = (...args: readonly string[]): void => {
      execFileSync('swift-ring-builder', [join(root, `${kind}.builder`), ...args])
    }
    ring('create', '4', '1', '1')
    ring('add', `r1z1-127.0.0.1:${ports[i]}/one`, '1')
    ring('rebalance')
  })
  const filters = [
    'catch_errors',
    'gatekeeper',
    'memcache',
    'listing_formats',
    's3api',
    'tempauth',
    'copy',
    'slo',
    'dlo',
  ]
  write(
    'proxy.conf',
    ...common(proxyPort!),
    '[pipeline:main]',
    `pipeline = ${filters.join(' ')} proxy-server`,
    ...filters.flatMap((name) => [
      `[filter:${name}]`,
      `use = egg:swift#${name}`,
      ...(FILTERS[name] ?? []),
    ]),
    '[app:proxy-server]',
    'use = egg:swift#proxy',
    'account_autocreate = true',
    // A slow machine is no broken one.
    'conn_timeout = 30',
    'node_timeout = 60',
    'error_suppression_limit = 1000',
  )
  const children: ChildProcess[] = ['proxy', ...STORAGE].map((kind) =>
    spawn(`swift-${kind}-server`, [join(root, `${kind}.conf`)], { stdio: 'ignore' }),
  )
  const close = (): void => {
    for (const child of children) child.kill('SIGKILL')
    rmSync(root, { recursive: true, force: true })
  }
  const endpoint = `http://127.0.0.1:${proxyPort}`
  try {
    for (const port of [...ports, proxyPort]) await untilServed(`http://127.0.0.1:${port}`)
  } catch (error) {
    close()
    throw error
  }
  return {
    endpoint,
    region: 'us-east-1',
    accessKeyId: 'test:tester',
    secretAccessKey: 'testing',
    close,
  }
}

const FILTERS: { readonly [name: string]: readonly string[] } = {
  // There is none, and none is needed: requests carry their signatures.
  memcache: ['memcache_servers = 127.0.0.1:1'],
  s3api: ['location = us-east-1'],
  tempauth: ['user_test_tester = testing .admin'],
}

async function untilServed(endpoint: string): Promise<void> {
  const end = Date.now() + START_MS
  for (;;)
    try {
      await (await fetch(endpoint)).body?.cancel()
      return
    } catch (error) {
      if (Date.now() > end) throw error
      await sleep(100)
    }
}

async function freePorts(count: number): Promise<readonly number[]> {
  const servers = Array.from({ length: count }, () => createServer().listen(0, '127.0.0.1'))
  await Promise.all(
    servers.map((server) => new Promise((resolve) => server.once('listening', resolve))),
  )
  const ports = servers.map((server) => (server.address() as { readonly port: number }).port)
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))))
  return ports
}
