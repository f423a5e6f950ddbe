/** What a version seals: its content whole, and its label without the value. */
import { type Id, wipe } from '@quorate/base'
import type { Barrier, Place } from '../../barrier/port.ts'
import {
  type Content,
  decodeContent,
  decodeLabel,
  encodeContent,
  encodeLabel,
  type Label,
} from './model.ts'
import type { NameKey, StoredVersion } from './store.ts'

type VersionKey = Pick<StoredVersion, 'project' | 'secret' | 'version'>

const placeOf = ({ project, secret, version }: VersionKey, column: string): Place => ({
  project,
  table: 'secret_version',
  row: secret,
  version,
  column,
})

export class SecretBox {
  readonly #barrier: Barrier

  constructor(barrier: Barrier) {
    this.#barrier = barrier
  }

  /** Await before anything else of that project. @throws kms/sealed */
  ready(project: Id<'prj'>): Promise<void> | undefined {
    return this.#barrier.project(project)
  }

  /** Treats the content as secret. */
  seal(key: VersionKey, content: Content): Pick<StoredVersion, 'label' | 'content'> {
    const whole = encodeContent(content)
    try {
      return {
        label: this.sealLabel(key, content),
        content: this.#barrier.seal(placeOf(key, 'content'), whole),
      }
    } finally {
      wipe(whole)
    }
  }

  sealLabel(key: VersionKey, label: Label): Uint8Array {
    return this.#barrier.seal(placeOf(key, 'label'), encodeLabel(label))
  }

  /** @throws kms/does-not-open */
  label(version: StoredVersion): Label {
    return decodeLabel(this.#barrier.open(placeOf(version, 'label'), version.label))
  }

  /** `undefined` where the version has none. The caller wipes the value. @throws kms/does-not-open */
  content(version: StoredVersion): Content | undefined {
    if (version.content === undefined) return undefined
    const opened = this.#barrier.open(placeOf(version, 'content'), version.content)
    try {
      return decodeContent(opened)
    } finally {
      wipe(opened)
    }
  }

  /** What a name is found by. */
  nameKey(project: Id<'prj'>, folder: Id<'fld'>, owner: string | undefined, name: string): NameKey {
    return {
      folder,
      owner: owner ?? '',
      name: this.#barrier.blindIndex(project, 'secret-name', name),
    }
  }
}
