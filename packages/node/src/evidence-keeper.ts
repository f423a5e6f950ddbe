/**
 * Evidence that convicts a node, one file for each session, for people to verify and to show to
 * others. Old files make room for new ones, so that a node that cheats for ever fills no disk.
 */
import { readdirSync, rmSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { toHex } from '@quorate/base'
import { ensurePrivateDirectory, writeFileAtomic } from '@quorate/platform'

const FILE = /^[0-9a-f]{64}\.cbor$/

export class EvidenceKeeper {
  readonly #directory: string
  readonly #maxFiles: number

  constructor(directory: string, maxFiles = 1000) {
    this.#directory = directory
    this.#maxFiles = maxFiles
  }

  /** Puts the evidence at `<sid>.cbor`, mode 0600. @throws platform/… of the file */
  keep(sid: Uint8Array, file: Uint8Array): void {
    ensurePrivateDirectory(this.#directory)
    writeFileAtomic(join(this.#directory, `${toHex(sid)}.cbor`), file)
    for (const name of this.#oldest()) rmSync(join(this.#directory, name), { force: true })
  }

  /** The names of those above the number that may be kept. */
  #oldest(): readonly string[] {
    const names = readdirSync(this.#directory).filter((name) => FILE.test(name))
    if (names.length <= this.#maxFiles) return []
    const times = new Map(
      names.map((name) => [name, statSync(join(this.#directory, name)).mtimeMs] as const),
    )
    return names
      .sort((a, b) => times.get(a)! - times.get(b)!)
      .slice(0, names.length - this.#maxFiles)
  }
}
