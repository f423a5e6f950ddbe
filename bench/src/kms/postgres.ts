/** A PostgreSQL of our own for a run: a cluster in a temporary directory that listens on a unix socket only. */
import { execFile, spawn } from 'node:child_process'
import { chmodSync, chownSync, existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir, userInfo } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'

export type OwnPostgres = { readonly uri: string; stop(): Promise<void> }

const run = promisify(execFile)
const ROOT = '/usr/lib/postgresql'
const TRIES = 100
const PAUSE_MS = 100

/** Where the newest version lies that is installed. */
function programs(): string | undefined {
  if (!existsSync(ROOT)) return undefined
  const [newest] = readdirSync(ROOT).sort((a, b) => Number(b) - Number(a))
  return newest === undefined ? undefined : join(ROOT, newest, 'bin')
}

/** Undefined where it is not installed. As root it runs as user `postgres`, for it refuses root. */
export async function startPostgres(): Promise<OwnPostgres | undefined> {
  const bin = programs()
  if (bin === undefined) return undefined
  const directory = mkdtempSync(join(tmpdir(), 'quorate-pg-'))
  const isRoot = userInfo().uid === 0
  const as: Partial<Ids> = isRoot ? await idsOf('postgres') : {}
  if (as.uid !== undefined && as.gid !== undefined) chownSync(directory, as.uid, as.gid)
  chmodSync(directory, 0o755)
  const data = join(directory, 'data')
  const user = isRoot ? 'postgres' : userInfo().username
  await run(join(bin, 'initdb'), ['-D', data, '-A', 'trust', '-E', 'UTF8', '--locale=C', '-N'], {
    ...as,
    cwd: directory,
  })
  const settings = [
    `unix_socket_directories=${directory}`,
    'listen_addresses=',
    'shared_buffers=256MB',
  ]
  const server = spawn(
    join(bin, 'postgres'),
    ['-D', data, ...settings.flatMap((each) => ['-c', each])],
    { ...as, cwd: directory, stdio: 'ignore' },
  )
  const ended = new Promise((resolve) => server.once('exit', resolve))
  for (let i = 0; i < TRIES && !existsSync(join(directory, '.s.PGSQL.5432')); i++)
    await sleep(PAUSE_MS)
  const stop = async (): Promise<void> => {
    server.kill('SIGINT')
    await ended
    rmSync(directory, { recursive: true, force: true })
  }
  return { uri: `postgresql://${user}@/postgres?host=${encodeURIComponent(directory)}`, stop }
}

type Ids = { readonly uid: number; readonly gid: number }

async function idsOf(name: string): Promise<Ids> {
  const [uid, gid] = await Promise.all(
    ['-u', '-g'].map(async (flag) => Number((await run('id', [flag, name])).stdout)),
  )
  return { uid: uid as number, gid: gid as number }
}
