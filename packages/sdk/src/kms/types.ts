/** What the KMS takes and answers about secrets. Times are RFC 3339. */

export type SecretType = 'shared' | 'personal'
export type FileFormat = 'env' | 'json' | 'yaml'

/** Where secrets are. What is left out means the token's project, `development` and `/`. */
export type SecretPlace = {
  readonly project?: string
  readonly environment?: string
  readonly path?: string
}

export type SecretSource = {
  readonly id: string
  readonly secretName: string
  readonly type: SecretType
  readonly version: number
  readonly environment: string
  readonly path: string
}

export type SecretInfo = SecretSource & {
  readonly comment: string
  readonly tags: readonly string[]
  readonly project: string
  /** Places of the imports that led to it, outermost first; none where it is the folder's own. */
  readonly importedBy: readonly string[]
  /** Secrets whose values went into this one. */
  readonly references: readonly SecretSource[]
  readonly updatedAt: string
  readonly updatedBy: string
}
export type SecretValue = SecretInfo & {
  readonly secretValue: string
  /** `base64` for a value that is bytes. */
  readonly encoding: 'utf8' | 'base64'
}
export type ChangedSecret = SecretSource & { readonly updatedAt: string }

export type NewSecret = {
  readonly secretName: string
  readonly secretValue: string
  readonly type?: SecretType
  readonly encoding?: 'utf8' | 'base64'
  /** Nothing in the value is a reference. */
  readonly literal?: boolean
  readonly comment?: string
  readonly tags?: readonly string[]
}
export type SecretPatch = Partial<Omit<NewSecret, 'type'>>
export type SecretOperation = Partial<NewSecret> & {
  readonly op: 'create' | 'update' | 'delete' | 'put'
  readonly secretName: string
}

export type ReadOptions = {
  /** Imported secrets, references, personal overrides: all on unless told. */
  readonly imports?: boolean
  readonly expand?: boolean
  readonly personal?: boolean
}

export type SecretVersion = {
  readonly version: number
  readonly change: 'create' | 'update' | 'delete' | 'rollback' | 'restore'
  readonly contentOf: number
  readonly secretName: string
  readonly comment: string
  readonly tags: readonly string[]
  readonly destroyed: boolean
  readonly at: string
  readonly actor: string
}
export type SecretDiff = {
  readonly id: string
  readonly from: number
  readonly to: number
  readonly differences: readonly {
    readonly field: 'name' | 'comment' | 'tags' | 'value'
    readonly before: string | null
    readonly after: string | null
  }[]
}

export type Folder = {
  readonly id: string
  readonly name: string
  readonly environment: string
  readonly path: string
  readonly version: number
  readonly imports: readonly { readonly id: string; readonly place: string }[]
  readonly updatedAt: string
  readonly updatedBy: string
}
export type RestorePlan = {
  readonly at: string
  readonly dryRun: boolean
  readonly changes: readonly {
    readonly type: 'secret' | 'folder'
    readonly change: 'revive' | 'revert' | 'delete' | 'lost'
    readonly id: string
    readonly name: string
    readonly environment: string
    readonly path: string
    readonly fromVersion: number
    readonly toVersion: number | null
  }[]
}
export type SearchHit = SecretSource & {
  readonly comment: string
  readonly tags: readonly string[]
  readonly matched: readonly string[]
  readonly updatedAt: string
}
export type ImportOutcome = {
  readonly created: readonly string[]
  readonly updated: readonly string[]
  readonly unchanged: readonly string[]
  readonly dryRun: boolean
}
export type ExportedFile = {
  readonly format: FileFormat
  readonly content: string
  readonly count: number
  /** Secrets left out because they hold bytes. */
  readonly binary: number
}
export type Project = {
  readonly id: string
  readonly name: string
  readonly version: number
  readonly createdAt: string
  readonly createdBy: string
}
export type Environment = {
  readonly id: string
  readonly slug: string
  readonly name: string
  readonly rootFolder: string
  readonly version: number
}
