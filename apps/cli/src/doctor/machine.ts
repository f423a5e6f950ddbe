/** The machine: runtime, database, directories, disk, limits, clock. */
import { existsSync, mkdtempSync, rmSync, statfsSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { isFault } from '@quorate/base'
import {
  ensurePrivateDirectory,
  hardenProcess,
  openSql,
  systemClock,
  systemRandom,
} from '@quorate/platform'
import type { Home } from '../dev/home.ts'
import { error, type Finding, ok, warning } from './finding.ts'

export async function machineFindings(home: Home): Promise<readonly Finding[]> {
  return [
    runtime(),
    await database(),
    directory(home),
    disk(home),
    ...hardening(),
    clock(),
    ...environment(),
  ]
}

function runtime(): Finding {
  const { node } = process.versions
  const [major = 0, minor = 0] = node.split('.').map(Number)
  if (major < 20 || (major === 20 && minor < 20))
    return error('node version', node, 'Install Node 20.20 or newer; 24 is advised.')
  if (major < 22)
    return warning(
      'node version',
      `${node} gets no security fixes any more`,
      'Install Node 24 for anything but development.',
    )
  return ok('node version', node)
}

/** Opens a database for good: a driver that is there but does not work is found, too. */
async function database(): Promise<Finding> {
  const scratch = mkdtempSync(join(tmpdir(), 'quorate-doctor-'))
  try {
    const sql = await openSql({
      path: join(scratch, 'probe.db'),
      migrations: [],
      clock: systemClock,
      random: systemRandom,
    })
    await sql.close()
    return ok('database', 'SQLite opens and closes')
  } catch (caught) {
    if (!isFault(caught)) throw caught
    return error('database', caught.message, caught.remedy)
  } finally {
    rmSync(scratch, { recursive: true, force: true })
  }
}

function directory({ path }: Home): Finding {
  if (!existsSync(path)) return ok('home', `${path} is not there yet`)
  try {
    ensurePrivateDirectory(path)
    return ok('home', `${path} is private`)
  } catch (caught) {
    if (!isFault(caught)) throw caught
    return error('home', caught.message, caught.remedy)
  }
}

const MIB = 1024 * 1024

function disk({ path }: Home): Finding {
  let at = path
  while (!existsSync(at)) at = dirname(at)
  const { bavail, bsize } = statfsSync(at)
  const free = Math.floor((bavail * bsize) / MIB)
  if (free < 100)
    return error('disk', `${free} MiB free`, 'Free some space: nodes refuse to work without it.')
  if (free < 1024) return warning('disk', `${free} MiB free`, 'Free some space soon.')
  return ok('disk', `${Math.floor(free / 1024)} GiB free`)
}

function hardening(): readonly Finding[] {
  const findings = hardenProcess()
  if (findings.length === 0)
    return [ok('process', 'no core dumps, no inspector, no heap snapshots')]
  // quorate up sets the limit itself; daemons that are started otherwise inherit it from here.
  return findings.map(({ what, detail }) =>
    warning(what, detail, 'Do so for every daemon; quorate up does it for its own.'),
  )
}

/** No program of this version ran before. */
const EARLIEST = Date.UTC(2025, 0, 1)

function clock(): Finding {
  const now = new Date(systemClock.now())
  if (now.getTime() < EARLIEST)
    return error(
      'clock',
      `it says ${now.toISOString()}`,
      'Set the clock right: requests and keys expire by it.',
    )
  return ok('clock', now.toISOString())
}

function environment(): readonly Finding[] {
  const findings: Finding[] = []
  if (process.env['QUORATE_FAILPOINTS'] !== undefined)
    findings.push(
      warning(
        'failpoints',
        'QUORATE_FAILPOINTS is set',
        'Unset it unless you are testing crashes.',
      ),
    )
  if (process.env['NODE_TLS_REJECT_UNAUTHORIZED'] === '0')
    findings.push(
      error('TLS', 'NODE_TLS_REJECT_UNAUTHORIZED is 0', 'Unset it: certificates are not checked.'),
    )
  return findings
}
