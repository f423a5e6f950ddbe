/**
 * Where the backups of a node are, and under which names:
 *
 *   backup-<node id>-<number>.enc    one backup
 *   latest.enc                       the same bytes as the newest
 *   drill-<node id>.json             left by whoever opened a backup: the newest that was, and what shows it
 *
 * The place is trusted with nothing: it can lose files, which the other nodes' word of the newest
 * backup brings to light.
 */
import { equalBytes, Fault, fromHex, fromUtf8, isFault, toHex, utf8 } from '@quorate/base'
import type { BlobStore } from '@quorate/platform'

const MAX_FILE_BYTES = 24 << 20
const LATEST = 'latest.enc'

const prefixOf = (nodeId: string): string => `backup-${nodeId}-`
/** Names sort as numbers do. */
export const backupName = (nodeId: string, number: number): string =>
  `${prefixOf(nodeId)}${String(number).padStart(10, '0')}.enc`

const drillName = (nodeId: string): string => `drill-${nodeId}.json`

export type Drill = { readonly number: number; readonly token: Uint8Array }

/** Puts a backup there and reads it back: it counts once both names give the same bytes. @throws platform/…, node/backup-not-kept */
export async function keepBackup(
  place: BlobStore,
  nodeId: string,
  number: number,
  file: Uint8Array,
): Promise<void> {
  for (const name of [backupName(nodeId, number), LATEST]) {
    await place.put(name, file)
    const back = await place.get(name, { maxBytes: MAX_FILE_BYTES })
    if (!equalBytes(back, file)) throw new Fault('node/backup-not-kept', { detail: place.place })
  }
}

export const latestBackup = (place: BlobStore): Promise<Uint8Array> =>
  place.get(LATEST, { maxBytes: MAX_FILE_BYTES })

/** Numbers of the backups of a node that are there, ascending. */
export async function keptNumbers(place: BlobStore, nodeId: string): Promise<readonly number[]> {
  const files = await place.list(prefixOf(nodeId))
  return files.flatMap(({ key }) => {
    const [, digits] = /-(\d{10})\.enc$/.exec(key) ?? []
    return digits === undefined ? [] : [Number(digits)]
  })
}

/** Leaves word that a backup was opened. */
export function leaveDrill(place: BlobStore, nodeId: string, drill: Drill): Promise<void> {
  const text = JSON.stringify({ number: drill.number, token: toHex(drill.token) })
  return place.put(drillName(nodeId), utf8(`${text}\n`))
}

/** What somebody left there; undefined for nothing, or for what is none. */
export async function readDrill(place: BlobStore, nodeId: string): Promise<Drill | undefined> {
  try {
    const text = fromUtf8(await place.get(drillName(nodeId), { maxBytes: 1024 }))
    const { number, token } = JSON.parse(text ?? '') as { number?: unknown; token?: unknown }
    if (typeof number !== 'number' || typeof token !== 'string') return undefined
    return { number, token: fromHex(token) }
  } catch (error) {
    if (isFault(error, 'platform/no-blob') || error instanceof SyntaxError) return undefined
    if (isFault(error) && error.code.startsWith('base/')) return undefined
    throw error
  }
}
