/** A PostgreSQL of its own for tests: a cluster in a temporary directory that listens on a unix socket only. */
import { execFile, spawn } from 'node:child_process'
import { chmodSync, chownSync, existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir, userInfo } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'

export type TestPostgres = {
  uri(database: string): string
  /** Makes the database unless it is there. */
  makeDatabase(name: string): Promise<void>
  /** Runs statements as the owner of everything. */
  run(database: string, sql: string): Promise<string>
  stop(): Promise<void>
}

const exec = promisify(execFile)
const ROOT = '/usr/lib/postgresql'
const TRIES = 200
const PAUSE_MS = 50

/** Where the newest version lies that is installed. */
function programs(): string | undefined {
  if (!existsSync(ROOT)) return undefined
  const [newest] = readdirSync(ROOT).sort((a, b) => Number(b) - Number(a))
  return newest === undefined ? undefined : join(ROOT, newest, 'bin')
}

/** Undefined where it is not installed. As root it runs as user `postgres`, for it refuses root. */
export async function startPostgres(): Promise<TestPostgres | undefined> {
  const bin = programs()
  if (bin === undefined) return undefined
  const directory = mkdtempSync(join(tmpdir(), 'quorate-pg-'))
  const isRoot = userInfo().uid === 0
  const as: Partial<Ids> = isRoot ? await idsOf('postgres') : {}
  const user = isRoot ? 'postgres' : userInfo().username
  if (as.uid !== undefined && as.gid !== undefined) chownSync(directory, as.uid, as.gid)
  chmodSync(directory, 0o755)
  const options = { ...as, cwd: directory }
  const data = join(directory, 'data')
  await exec(
    join(bin, 'initdb'),
    ['-D', data, '-A', 'trust', '-E', 'UTF8', '--locale=C', '-N'],
    options,
  )
  const settings = [`unix_socket_directories=${directory}`, 'listen_addresses=']
  const server = spawn(
    join(bin, 'postgres'),
    ['-D', data, ...settings.flatMap((each) => ['-c', each])],
    { ...options, stdio: 'ignore' },
  )
  const ended = new Promise((resolve) => server.once('exit', resolve))
  const psql = async (database: string, sql: string): Promise<string> =>
    (
      await exec(
        join(bin, 'psql'),
        ['-h', directory, '-U', user, '-d', database, '-Atqc', sql],
        options,
      )
    ).stdout
  for (let i = 0; i < TRIES; i++) {
    const isUp = await psql('postgres', 'SELECT 1').catch(() => '')
    if (isUp !== '') break
    await sleep(PAUSE_MS)
  }
  const made = new Set<string>()
  return {
    uri: (database) => `postgresql://${user}@/${database}?host=${encodeURIComponent(directory)}`,
    async makeDatabase(name) {
      if (made.has(name)) return
      await psql('postgres', `CREATE DATABASE ${name}`)
      made.add(name)
    },
    run: psql,
    async stop() {
      server.kill('SIGINT')
      await ended
      rmSync(directory, { recursive: true, force: true })
    },
  }
}

type Ids = { readonly uid: number; readonly gid: number }

async function idsOf(name: string): Promise<Ids> {
  const [uid, gid] = await Promise.all(
    ['-u', '-g'].map(async (flag) => Number((await exec('id', [flag, name])).stdout)),
  )
  return { uid: uid as number, gid: gid as number }
}
