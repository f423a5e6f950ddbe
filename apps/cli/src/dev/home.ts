/**
 * Where the development cluster lives on this machine.
 *
 *   <home>/dev/node-1 … node-n     a data directory each, with node.log and quorate.yaml
 *   <home>/dev/client/<name>.json  keys of the clients and of the admin
 *   <home>/dev/cluster.cbor        the signed cluster records
 *   <home>/dev/state.json          which processes run, and where they listen
 *   <home>/dev/hsm.json            the HSM of the nodes, where it is not the simulated one
 */
import { createHash } from 'node:crypto'
import { existsSync, lstatSync } from 'node:fs'
import { homedir, tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { Fault } from '@quorate/base'
import type { Given } from '../command.ts'

export type Home = {
  readonly path: string
  readonly dev: string
  readonly clusterFile: string
  readonly stateFile: string
  readonly deviceFile: string
  clientFile(name: string): string
  node(index: number): string
}

/** The home that the command line and the environment name. Nothing is made or checked. */
export function homeOf(given: Given): Home {
  return homeAt(given.text('home') ?? (process.env['QUORATE_HOME'] || undefined) ?? defaultHome())
}

export function homeAt(directory: string): Home {
  const path = resolve(directory)
  const dev = join(path, 'dev')
  return {
    path,
    dev,
    clusterFile: join(dev, 'cluster.cbor'),
    stateFile: join(dev, 'state.json'),
    deviceFile: join(dev, 'hsm.json'),
    clientFile: (name) => join(dev, 'client', `${name}.json`),
    node: (index) => join(dev, `node-${index}`),
  }
}

function defaultHome(): string {
  const state = process.env['XDG_STATE_HOME']
  // The specification has relative paths ignored.
  return state?.startsWith('/') === true
    ? join(state, 'quorate')
    : join(homedir(), '.local', 'state', 'quorate')
}

export const hasCluster = ({ clusterFile }: Home): boolean => existsSync(clusterFile)

/** @throws cli/no-cluster */
export function requireCluster(home: Home): void {
  if (!hasCluster(home)) throw new Fault('cli/no-cluster', { detail: home.path })
}

/** Paths of unix sockets end before this many bytes on every system. */
const MAX_SOCKET_PATH = 100

export type Sockets = { readonly api: string; readonly mesh: string }

/**
 * Where the sockets of the nodes go: beside their data, or, where those paths are too long for
 * sockets, in a short directory of their own. `directories` are to be made, private.
 */
export function socketsOf(
  home: Home,
  size: number,
): { readonly directory: string | undefined; readonly nodes: readonly Sockets[] } {
  const indices = Array.from({ length: size }, (_, i) => i + 1)
  const beside = indices.map((index) => ({
    api: join(home.node(index), 'api.sock'),
    mesh: join(home.node(index), 'mesh.sock'),
  }))
  if (beside.every(({ mesh }) => Buffer.byteLength(mesh) <= MAX_SOCKET_PATH))
    return { directory: undefined, nodes: beside }
  const directory = runtimeDirectory(home)
  return {
    directory,
    nodes: indices.map((index) => ({
      api: join(directory, `api-${index}.sock`),
      mesh: join(directory, `mesh-${index}.sock`),
    })),
  }
}

function runtimeDirectory({ dev }: Home): string {
  const hash = createHash('sha256').update(dev).digest('hex').slice(0, 12)
  const runtime = process.env['XDG_RUNTIME_DIR']
  if (runtime?.startsWith('/') === true && runtime.length < 60)
    return join(runtime, `quorate-${hash}`)
  return join(tmpdir(), `quorate-${process.getuid?.() ?? 0}-${hash}`)
}

/** Refuses a link in place of the directory: others can put one into a shared directory. @throws platform/no-directory */
export function refuseLink(path: string): void {
  if (existsSync(path) && lstatSync(path).isSymbolicLink())
    throw new Fault('platform/no-directory', { detail: `${path} is a link` })
}
