import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import type { Logger } from '@quorate/base'
import {
  type AuditDelivery,
  type AuditLine,
  HsmAuditLog,
  type HsmAuditLogOptions,
  type HsmAuditRecord,
  type KeyId,
  type HsmAuditLog as Log,
} from '@quorate/hsm'
import { ManualTime, systemRandom } from '@quorate/platform'
import { NOW } from '../kit.ts'

const SILENT: Logger = { log: () => undefined, with: () => SILENT }

export const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))
/** Enough turns for everything that waits for the disk or for another promise. */
export async function settle(): Promise<void> {
  for (let i = 0; i < 20; i++) await turn()
}

/** Turns until `is` says so. */
export async function until(is: () => boolean): Promise<void> {
  while (!is()) await turn()
}

export function place(t: TestContext): string {
  const root = mkdtempSync(join(tmpdir(), 'quorate-audit-'))
  t.after(() => rmSync(root, { recursive: true, force: true }))
  return root
}

export class Stage {
  readonly time = new ManualTime(NOW)
  readonly root: string
  readonly directory: string
  #open: Log | undefined

  constructor(t: TestContext) {
    this.root = place(t)
    this.directory = join(this.root, 'audit')
    t.after(() => this.#open?.close())
  }

  async open(more: Partial<HsmAuditLogOptions> = {}): Promise<Log> {
    await this.#open?.close()
    const { time, directory } = this
    this.#open = await HsmAuditLog.open({
      directory,
      clock: time,
      timers: time,
      random: systemRandom,
      logger: SILENT,
      ...more,
    })
    return this.#open
  }
}

export const signed = (n: number, more: Partial<HsmAuditRecord> = {}): HsmAuditRecord => ({
  time: NOW + n,
  operation: 'sign',
  device: 'luna-1',
  key: '0a0b' as KeyId,
  role: 'validator',
  user: 'usr_7',
  source: '10.0.0.7',
  result: 'done',
  ...more,
})

/** A place that takes what the test lets it take. */
export class Place implements AuditDelivery {
  readonly name: string
  readonly confirms: boolean
  readonly taken: AuditLine[] = []
  fails = false
  isClosed = false

  constructor(name = 'remote', confirms = true) {
    this.name = name
    this.confirms = confirms
  }

  deliver(lines: readonly AuditLine[]): Promise<void> {
    if (this.fails) return Promise.reject(new Error('unreachable'))
    this.taken.push(...lines)
    return Promise.resolve()
  }

  close(): Promise<void> {
    this.isClosed = true
    return Promise.resolve()
  }
}
