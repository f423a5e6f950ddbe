/** The wall clock of one machine, which a test may set wrong while its processes run. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'

export class WallClock {
  readonly #file: string

  constructor(t: TestContext) {
    const directory = mkdtempSync(join(tmpdir(), 'quorate-clock-'))
    t.after(() => rmSync(directory, { recursive: true, force: true }))
    this.#file = join(directory, 'offset')
    this.set(0)
  }

  /** How many seconds it is ahead from now on. */
  set(seconds: number): void {
    writeFileSync(this.#file, String(seconds))
  }

  /** What makes every process of a node go by it. */
  get nodeOptions(): readonly string[] {
    const hook = new URL('./wrong-clock.js', import.meta.url)
    hook.searchParams.set('offset', this.#file)
    return ['--import', hook.href]
  }
}
