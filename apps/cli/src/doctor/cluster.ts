/** The development cluster: whether it runs, what its nodes say, and what it cannot promise. */
import { existsSync, statSync } from 'node:fs'
import net from 'node:net'
import type { StatusJson } from '@quorate/api'
import { isFault } from '@quorate/base'
import { connectionTo, devCluster } from '../connection.ts'
import { custodyText } from '../custody.ts'
import { readDevDevice } from '../dev/device.ts'
import { type Home, hasCluster } from '../dev/home.ts'
import { type DevNode, isRunning, readState } from '../dev/state.ts'
import { backupFindings } from './backup.ts'
import { error, type Finding, ok, warning } from './finding.ts'
import { readiness } from './ready.ts'

const DEFAULT_PORT = 7600

export async function clusterFindings(
  home: Home,
  onProgress: (text: string) => void,
): Promise<readonly Finding[]> {
  if (!hasCluster(home))
    return [ok('cluster', 'there is none yet; quorate up makes one'), await port(DEFAULT_PORT)]
  onProgress('asking the nodes')
  const known = await devCluster(home)
  const { nodes } = readState(home)
  const devices = new Map<string, StatusJson['custody']>()
  const findings = [
    ok('cluster', `${known.cluster.record.name}, ${known.cluster.record.nodes.length} nodes`),
  ]
  for (const node of nodes) {
    if (!isRunning(node)) {
      findings.push(warning(`node ${node.index}`, 'it does not run', 'Start it with quorate up.'))
      if (node.port !== null) findings.push(await port(node.port))
      continue
    }
    findings.push(...modes(node))
    try {
      const { client } = connectionTo(known, { socketPath: node.socket })
      const status = await client.call('getStatus', {})
      findings.push(await readiness(`node ${node.index}`, { socketPath: node.socket }))
      findings.push(...ofStatus(`node ${node.index}`, status))
      devices.set(custodyText(status.custody), status.custody)
    } catch (caught) {
      if (!isFault(caught)) throw caught
      findings.push(error(`node ${node.index}`, caught.message, caught.remedy))
    }
  }
  if (devices.size === 0 && readDevDevice(home) === undefined)
    devices.set('simulated', { kind: 'simulated', level: 'software' })
  return [...findings, ...[...devices.values()].map(custody)]
}

export function custody({ kind, level }: StatusJson['custody']): Finding {
  if (kind === 'simulated')
    return warning(
      'HSM',
      'SIMULATED. It protects nothing from whoever is root here or copies the directory',
      'Use this cluster for development only; keys of value belong in hardware.',
    )
  return level === 'software'
    ? warning(
        'HSM',
        `${kind}, custody software: whoever is root here can read its keys`,
        'Keys of value belong in hardware; quorate hsm sample-config shows which is known.',
      )
    : ok('HSM', `${kind}, custody ${level}; quorate hsm doctor looks into it`)
}

function modes({ index, directory, socket }: DevNode): readonly Finding[] {
  return [directory, socket].flatMap((path) => {
    if (!existsSync(path) || (statSync(path).mode & 0o077) === 0) return []
    return [error(`node ${index}`, `others can reach ${path}`, `Run: chmod go= ${path}`)]
  })
}

export function ofStatus(what: string, status: StatusJson): readonly Finding[] {
  const findings: Finding[] = []
  const away = status.peers.filter(({ state }) => state !== 'connected').map((peer) => peer.index)
  if (away.length > 0)
    findings.push(
      error(
        what,
        `it does not see node ${away.join(' and ')}`,
        'quorate logs shows why; quorate up starts what is down.',
      ),
    )
  if (!status.audit.rollbackDetectable)
    findings.push(
      warning(
        what,
        'a rollback of its directory would not be noticed yet',
        'It will be, once a peer holds one of its checkpoints.',
      ),
    )
  findings.push(...backupFindings(what, status))
  const backends = Object.entries(status.backends).map(([group, engine]) => `${group} by ${engine}`)
  return findings.length > 0
    ? findings
    : [ok(what, `up, sees all others, ${status.wallets} wallets, points: ${backends.join(', ')}`)]
}

function port(number: number): Promise<Finding> {
  return new Promise((resolve) => {
    const probe = net.createServer()
    probe.once('error', () =>
      resolve(
        error(
          'port',
          `127.0.0.1:${number} is taken by another program`,
          `Stop it, or run: quorate up --port ${number + 100}`,
        ),
      ),
    )
    probe.listen({ host: '127.0.0.1', port: number, exclusive: true }, () =>
      probe.close(() => resolve(ok('port', `127.0.0.1:${number} is free`))),
    )
  })
}
