/**
 * Where the chain stood, in a file outside the directory of the log: a directory that was put back, or cut
 * off at its end, meets a later word than its own.
 */
import { existsSync } from 'node:fs'
import type { ChainHead } from '@quorate/api'
import { equalBytes, Fault, fromUtf8, type Id, idFrom, TAGS, taggedHash } from '@quorate/base'
import { readFile } from '@quorate/platform'
import { hashAt } from './files.ts'
import { parseLine } from './line.ts'

const MAX_ANCHOR_BYTES = 4096

/** The id under which checkpoints name their log: it follows from the key that signs them. */
export const auditNodeId = (publicKey: Uint8Array): Id<'nod'> =>
  idFrom('nod', 0, taggedHash(TAGS.nodeId, publicKey).slice(0, 10))

/** @throws hsm/audit-tampered where the chain does not go through its anchor */
export function checkAnchor(anchorFile: string, directory: string, head: ChainHead): void {
  if (!existsSync(anchorFile)) return
  const text = fromUtf8(readFile(anchorFile, { maxBytes: MAX_ANCHOR_BYTES })) ?? ''
  const parsed = parseLine(text.trimEnd())
  if (parsed === undefined || parsed.kind === 'record')
    throw new Fault('hsm/audit-tampered', { detail: `${anchorFile} is no anchor` })
  const anchor = parsed.kind === 'start' ? parsed.after : parsed.checkpoint
  const found = anchor.seq > head.seq ? undefined : hashAt(directory, anchor.seq)
  if (found === undefined || !equalBytes(found, anchor.h))
    throw new Fault('hsm/audit-tampered', {
      detail: `its anchor is of record ${anchor.seq}, the log ends at ${head.seq}`,
    })
}
