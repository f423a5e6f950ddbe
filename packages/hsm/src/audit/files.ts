/**
 * The files that hold the audit chain: `audit-<first record>.jsonl`, one after the other, mode 0600,
 * written by appending only. Reading tells what a crash left from what somebody changed: a crash leaves at
 * most an end that is no whole line, or zeros where the disk had not come to the data.
 */
import { readdirSync, readFileSync, statSync } from 'node:fs'
import { type FileHandle, open } from 'node:fs/promises'
import { join } from 'node:path'
import { CHAIN_START, type ChainHead, chainHash } from '@quorate/api'
import { equalBytes, Fault, utf8 } from '@quorate/base'
import { fileFault, writeFileAtomic } from '@quorate/platform'
import type { AuditLine } from './delivery.ts'
import { type ParsedLine, parseLine, startLine } from './line.ts'

export type AuditFile = {
  readonly path: string
  readonly name: string
  /** Number of its first record. */
  readonly first: number
}

const NAME = /^audit-(\d{12})\.jsonl$/
/** Files are turned over long before; one that is larger is none of ours. */
const MAX_BYTES = 1 << 28

export const auditFileName = (first: number): string =>
  `audit-${String(first).padStart(12, '0')}.jsonl`

/** The files in `directory`, in the order of their records; none where it does not exist. */
export function auditFiles(directory: string): readonly AuditFile[] {
  let names: readonly string[]
  try {
    names = readdirSync(directory)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return []
    throw fileFault(error, `cannot read ${directory}`)
  }
  return names
    .flatMap((name) => {
      const first = NAME.exec(name)?.[1]
      return first === undefined
        ? []
        : [{ path: join(directory, name), name, first: Number(first) }]
    })
    .sort((a, b) => a.first - b.first)
}

export type FileLine = {
  readonly text: string
  /** Absent for a line that we did not write so. */
  readonly parsed: ParsedLine | undefined
  /** Bytes from the start of the file up to and with its line feed. */
  readonly end: number
}

export type FileContent = {
  readonly lines: readonly FileLine[]
  /** Bytes at the end that a crash left. */
  readonly torn: number
}

/** @throws platform/file-unreadable, platform/file-too-large */
export function readAuditFile(path: string): FileContent {
  const bytes = contentOf(path)
  const lines: FileLine[] = []
  let at = 0
  for (let feed = bytes.indexOf(0x0a); feed !== -1; feed = bytes.indexOf(0x0a, at)) {
    const text = bytes.toString('utf8', at, feed)
    at = feed + 1
    lines.push({ text, parsed: parseLine(text), end: at })
  }
  // Zeros with nothing sound behind them are a crash too; anything else in a whole line is not.
  const sound = lines.findLastIndex(({ parsed }) => parsed !== undefined)
  const behind = lines.slice(sound + 1)
  if (behind.some(({ text }) => text.includes('\0')))
    return { lines: lines.slice(0, sound + 1), torn: bytes.length - (lines[sound]?.end ?? 0) }
  return { lines, torn: bytes.length - at }
}

function contentOf(path: string): Buffer {
  try {
    const { size } = statSync(path)
    if (size > MAX_BYTES)
      throw new Fault('platform/file-too-large', { detail: `${path}: at most ${MAX_BYTES} bytes` })
    return readFileSync(path)
  } catch (error) {
    throw error instanceof Fault ? error : fileFault(error, `cannot read ${path}`)
  }
}

/** Where the chain stands at the end of a file. @throws hsm/audit-tampered naming the file and the record */
export function headOf({ path, first }: AuditFile, { lines }: FileContent): ChainHead {
  const refuse = (detail: string): never => {
    throw new Fault('hsm/audit-tampered', { detail: `${path}: ${detail}` })
  }
  const start = lines[0]?.parsed
  if (start?.kind !== 'start' || start.after.seq !== first - 1) refuse('its first line')
  let head = start?.kind === 'start' ? start.after : { seq: 0, h: new Uint8Array(32) }
  const hashes = new Map([[head.seq, head.h]])
  for (const { parsed } of lines.slice(1)) {
    const next = head.seq + 1
    if (parsed === undefined || parsed.kind === 'start') return refuse(`near record ${next}`)
    if (parsed.kind === 'checkpoint') {
      const { seq, h } = parsed.checkpoint
      // Signing takes its time, so that its record may stand a few lines back, or in the file before.
      const then = seq < first - 1 ? h : hashes.get(seq)
      if (then === undefined || !equalBytes(h, then)) refuse(`the checkpoint of record ${seq}`)
      continue
    }
    const h = chainHash(head.h, parsed.bytes)
    if (parsed.seq !== next || !equalBytes(h, parsed.h)) refuse(`record ${next}`)
    head = { seq: next, h }
    hashes.set(next, h)
  }
  return head
}

/** The hash of the chain with record `seq`, by the file that has it. */
export function hashAt(directory: string, seq: number): Uint8Array | undefined {
  const file = auditFiles(directory).findLast(({ first }) => first - 1 <= seq)
  if (file === undefined) return undefined
  for (const { parsed } of readAuditFile(file.path).lines) {
    if (parsed?.kind === 'start' && parsed.after.seq === seq) return parsed.after.h
    if (parsed?.kind === 'record' && parsed.seq === seq) return parsed.h
  }
  return undefined
}

/** Records after number `after`, out of the files. */
export function linesAfter(directory: string, after: number, limit: number): readonly AuditLine[] {
  const file = auditFiles(directory).findLast(({ first }) => first <= after + 1)
  if (file === undefined) throw new Fault('hsm/audit-tampered', { detail: 'a file is missing' })
  const lines: AuditLine[] = []
  for (const { parsed, text } of readAuditFile(file.path).lines)
    if (parsed?.kind === 'record' && parsed.seq > after && lines.length < limit)
      lines.push({ seq: parsed.seq, time: parsed.record.time, text })
  if (lines.length === 0)
    throw new Fault('hsm/audit-tampered', { detail: `record ${after + 1} is missing` })
  return lines
}

export type AuditEnd = {
  readonly path: string
  /** Of what is whole. */
  readonly size: number
  readonly torn: number
  readonly head: ChainHead
}

/** The last file and where the chain stands in it; a first file is made where there is none. */
export function openEnd(directory: string): AuditEnd {
  const last = auditFiles(directory).at(-1)
  if (last === undefined) {
    const start = utf8(`${startLine(CHAIN_START)}\n`)
    const path = join(directory, auditFileName(1))
    writeFileAtomic(path, start)
    return { path, size: start.length, torn: 0, head: CHAIN_START }
  }
  const content = readAuditFile(last.path)
  const { lines, torn } = content
  return { path: last.path, size: lines.at(-1)?.end ?? 0, torn, head: headOf(last, content) }
}

/** Appends to one file; what was appended is on the disk. */
export class AuditFileWriter {
  readonly #path: string
  readonly #file: FileHandle
  #size: number
  #isBroken = false

  private constructor(path: string, file: FileHandle, size: number) {
    this.#path = path
    this.#file = file
    this.#size = size
  }

  /** The file at `path`, which is there, cut to `size`. @throws platform/file-unreadable, platform/disk-full */
  static async open(path: string, size: number): Promise<AuditFileWriter> {
    try {
      const file = await open(path, 'a', 0o600)
      const writer = new AuditFileWriter(path, file, size)
      await writer.#cut()
      return writer
    } catch (error) {
      throw fileFault(error, `cannot open ${path}`)
    }
  }

  get size(): number {
    return this.#size
  }

  /** All of it, or nothing and a fault. @throws platform/disk-full, platform/file-unreadable */
  async append(lines: readonly string[]): Promise<void> {
    const bytes = Buffer.from(`${lines.join('\n')}\n`)
    try {
      // What a failed write left behind is in the way until it is gone.
      if (this.#isBroken) await this.#cut()
      this.#isBroken = true
      for (let at = 0; at < bytes.length; )
        at += (await this.#file.write(bytes, at, bytes.length - at)).bytesWritten
      await this.#file.datasync()
      this.#isBroken = false
      this.#size += bytes.length
    } catch (error) {
      throw fileFault(error, `cannot write ${this.#path}`)
    }
  }

  async #cut(): Promise<void> {
    await this.#file.truncate(this.#size)
    await this.#file.datasync()
    this.#isBroken = false
  }

  async close(): Promise<void> {
    // A write that failed must not look like one that was made.
    if (this.#isBroken) await this.#cut().catch(() => undefined)
    await this.#file.close()
  }
}
