import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { type FaultCode, isFault, type Logger, utf8 } from '@quorate/base'
import { HostedHsm, type HostedHsmOptions } from '#src/host/hosted-hsm.js'
import { type Mishap, PIN } from './fake-device.ts'

export const isCode =
  (code: FaultCode) =>
  (error: unknown): boolean =>
    isFault(error, code)

export type LogLine = { readonly level: string; readonly event: string; readonly text: string }

/** A device with its directory, and hosted HSMs over it. All is gone after the test. */
export class Bench {
  readonly directory: string
  readonly lines: LogLine[] = []
  readonly #opened: HostedHsm[] = []

  constructor(t: TestContext) {
    this.directory = mkdtempSync(join(tmpdir(), 'quorate-host-'))
    mkdirSync(join(this.directory, 'plan'))
    t.after(async () => {
      await Promise.all(this.#opened.map((hsm) => hsm.close()))
      rmSync(this.directory, { recursive: true, force: true })
    })
  }

  /** What goes wrong with the next calls of that name. */
  plan(call: string, ...mishaps: readonly Mishap[]): void {
    writeFileSync(join(this.directory, 'plan', call), JSON.stringify(mishaps))
  }

  /** How often the device was called so. */
  calls(name: string): number {
    const log = join(this.directory, 'log')
    if (!existsSync(log)) return 0
    return readFileSync(log, 'utf8')
      .split('\n')
      .filter((line) => line === name).length
  }

  get logger(): Logger {
    const logger: Logger = {
      log: (level, event, fields) => {
        this.lines.push({ level, event, text: JSON.stringify(fields ?? {}) })
      },
      with: () => logger,
    }
    return logger
  }

  options(
    changes: Partial<HostedHsmOptions> & {
      readonly env?: { readonly [name: string]: string }
    } = {},
  ): HostedHsmOptions {
    const { env = {}, ...others } = changes
    return {
      settings: {
        driver: 'pkcs11',
        library: this.directory,
        profile: 'fake',
        token: { label: 'fake' },
        env,
      },
      readPin: async () => utf8(PIN),
      logger: this.logger,
      entry: new URL('./fake-child.js', import.meta.url),
      pool: { size: 2, maxOverflow: 0 },
      ...others,
    }
  }

  async open(...changes: Parameters<Bench['options']>): Promise<HostedHsm> {
    const hsm = await HostedHsm.open(this.options(...changes))
    this.#opened.push(hsm)
    return hsm
  }
}

/** Resolves once `condition` holds, looking again each turn; fails when it has not after some seconds. */
export async function until(condition: () => boolean, what: string): Promise<void> {
  const end = Date.now() + 10_000
  while (!condition()) {
    if (Date.now() > end) throw new Error(`never came: ${what}`)
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
}

export const isAlive = (pid: number): boolean => {
  try {
    process.kill(pid, 0)
    // A process that has ended and is not collected yet still has its number.
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'))
  } catch {
    return false
  }
}
