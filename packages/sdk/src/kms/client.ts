/** The client of a KMS. One method for each use; `call` reaches every other route. */
import type { Page } from '@quorate/api'
import type { Secret } from '@quorate/base'
import { type KmsAnswer, type KmsCall, type KmsEndpoint, sendToKms } from './transport.ts'
import type {
  ChangedSecret,
  Environment,
  ExportedFile,
  FileFormat,
  Folder,
  ImportOutcome,
  NewSecret,
  Project,
  ReadOptions,
  RestorePlan,
  SearchHit,
  SecretDiff,
  SecretInfo,
  SecretOperation,
  SecretPatch,
  SecretPlace,
  SecretType,
  SecretValue,
  SecretVersion,
} from './types.ts'

export type KmsClientOptions = {
  readonly endpoint: KmsEndpoint
  /** Sent as bearer token. */
  readonly token?: Secret<string> | undefined
}

type QueryValue = string | number | boolean | undefined
export type Query = { readonly [name: string]: QueryValue }

export type ChangeOptions = {
  /** Only from this version: another one fails with kms/version-mismatch. */
  readonly ifVersion?: number
  /** The change happens once, however often it is sent under one key. */
  readonly idempotencyKey?: string
}

const headersOf = ({ ifVersion, idempotencyKey }: ChangeOptions): { [name: string]: string } => ({
  ...(ifVersion !== undefined && { 'if-match': `"${ifVersion}"` }),
  ...(idempotencyKey !== undefined && { 'idempotency-key': idempotencyKey }),
})

/** `path` with each `{name}` of it filled in and escaped, and the query behind it. */
export function targetOf(
  path: string,
  params: { readonly [name: string]: string } = {},
  query: Query = {},
): string {
  const filled = path.replace(/\{(\w+)\}/g, (_, name: string) =>
    encodeURIComponent(params[name] ?? ''),
  )
  const search = Object.entries(query)
    .flatMap(([name, value]) =>
      value === undefined ? [] : [`${name}=${encodeURIComponent(value)}`],
    )
    .join('&')
  return search === '' ? filled : `${filled}?${search}`
}

const SECRET = '/api/v1/secrets/{id}'
const ENVIRONMENT = '/api/v1/projects/{project}/environments/{environment}'
const FOLDER = '/api/v1/folders/{id}'

/** A place in full, as the routes of an environment need it. */
export type FullPlace = {
  readonly project: string
  readonly environment: string
  readonly path?: string
}

export class KmsClient {
  readonly #o: KmsClientOptions

  constructor(options: KmsClientOptions) {
    this.#o = options
  }

  /** Any route. @throws the fault of the server by its code, sdk/… */
  call<T>(call: Omit<KmsCall, 'token'>): Promise<KmsAnswer<T>> {
    return sendToKms<T>(this.#o.endpoint, { ...call, token: this.#o.token })
  }

  async #ask<T>(
    method: KmsCall['method'],
    target: string,
    body?: unknown,
    options: ChangeOptions = {},
  ): Promise<T> {
    return (await this.call<T>({ method, target, body, headers: headersOf(options) })).body
  }

  /** Every item of a list, page after page. */
  async *#all<T>(
    path: string,
    params: { readonly [name: string]: string },
    query: Query,
  ): AsyncGenerator<T> {
    for (let cursor: string | undefined; ; ) {
      const page: Page<T> = await this.#ask('GET', targetOf(path, params, { ...query, cursor }))
      yield* page.items
      if (page.nextCursor === null) return
      cursor = page.nextCursor
    }
  }

  /** @throws kms/no-secret, kms/reference-…, kms/not-permitted */
  readSecret(id: string, options: Pick<ReadOptions, 'expand'> = {}): Promise<SecretValue> {
    return this.#ask('GET', targetOf(SECRET, { id }, options))
  }

  /** The secret that a name means at a place, through imports and personal overrides. */
  readSecretAt(at: FullPlace, name: string, options: ReadOptions = {}): Promise<SecretValue> {
    const { path, ...params } = at
    return this.#ask(
      'GET',
      targetOf(`${ENVIRONMENT}/secrets/{name}`, { ...params, name }, { path, ...options }),
    )
  }

  /** Names without values. */
  listSecrets(place: SecretPlace = {}, options: ReadOptions = {}): AsyncGenerator<SecretInfo> {
    return this.#all('/api/v1/secrets', {}, { ...place, ...options, limit: 500 })
  }

  /** All secrets of a place with their values. */
  readSecrets(place: SecretPlace = {}, options: ReadOptions = {}): AsyncGenerator<SecretValue> {
    return this.#all('/api/v1/secrets', {}, { ...place, ...options, values: true, limit: 500 })
  }

  createSecret(
    secret: NewSecret & SecretPlace,
    options: Pick<ChangeOptions, 'idempotencyKey'> = {},
  ): Promise<ChangedSecret> {
    return this.#ask('POST', '/api/v1/secrets', secret, options)
  }

  updateSecret(
    id: string,
    patch: SecretPatch,
    options: ChangeOptions = {},
  ): Promise<ChangedSecret> {
    return this.#ask('PATCH', targetOf(SECRET, { id }), patch, options)
  }

  deleteSecret(id: string, options: ChangeOptions = {}): Promise<ChangedSecret> {
    return this.#ask('DELETE', targetOf(SECRET, { id }), undefined, options)
  }

  /** Stores under a name, new or as the next version. */
  putSecretAt(
    at: FullPlace,
    { secretName, type, ...body }: NewSecret,
    options: ChangeOptions = {},
  ): Promise<ChangedSecret> {
    const { path, ...params } = at
    const target = targetOf(
      `${ENVIRONMENT}/secrets/{name}`,
      { ...params, name: secretName },
      { path, type },
    )
    return this.#ask('PUT', target, body, options)
  }

  deleteSecretAt(
    at: FullPlace,
    name: string,
    type?: SecretType,
    options: ChangeOptions = {},
  ): Promise<ChangedSecret> {
    const { path, ...params } = at
    const target = targetOf(`${ENVIRONMENT}/secrets/{name}`, { ...params, name }, { path, type })
    return this.#ask('DELETE', target, undefined, options)
  }

  /** All operations in one transaction. */
  async changeSecrets(
    at: FullPlace,
    operations: readonly SecretOperation[],
    options: Pick<ChangeOptions, 'idempotencyKey'> = {},
  ): Promise<readonly ChangedSecret[]> {
    const { path, ...params } = at
    const target = targetOf(`${ENVIRONMENT}/batch`, params, { path })
    const { items } = await this.#ask<{ readonly items: readonly ChangedSecret[] }>(
      'POST',
      target,
      { operations },
      options,
    )
    return items
  }

  importSecrets(
    at: FullPlace,
    file: {
      readonly format: FileFormat
      readonly content: string
      readonly literal?: boolean
      readonly onConflict?: 'fail' | 'overwrite' | 'keep'
      readonly dryRun?: boolean
    },
  ): Promise<ImportOutcome> {
    const { path, ...params } = at
    return this.#ask('POST', targetOf(`${ENVIRONMENT}/files`, params, { path }), file)
  }

  exportSecrets(
    at: FullPlace,
    format: FileFormat = 'env',
    options: ReadOptions = {},
  ): Promise<ExportedFile> {
    const { path, ...params } = at
    return this.#ask('GET', targetOf(`${ENVIRONMENT}/files`, params, { path, format, ...options }))
  }

  /** Newest first. */
  versions(id: string): AsyncGenerator<SecretVersion> {
    return this.#all(`${SECRET}/versions`, { id }, {})
  }

  readVersion(id: string, version: number): Promise<SecretVersion & SecretValue> {
    return this.#ask('GET', targetOf(`${SECRET}/versions/{version}`, { id, version: `${version}` }))
  }

  diff(
    id: string,
    versions: { readonly from?: number; readonly to?: number } = {},
  ): Promise<SecretDiff> {
    return this.#ask('GET', targetOf(`${SECRET}/diff`, { id }, versions))
  }

  rollback(id: string, version: number, options: ChangeOptions = {}): Promise<ChangedSecret> {
    return this.#ask('POST', targetOf(`${SECRET}/rollback`, { id }), { version }, options)
  }

  undo(id: string, options: ChangeOptions = {}): Promise<ChangedSecret> {
    return this.#ask('POST', targetOf(`${SECRET}/undo`, { id }), {}, options)
  }

  destroyVersions(id: string, versions: readonly number[]): Promise<void> {
    return this.#ask('POST', targetOf(`${SECRET}/destroy`, { id }), { versions })
  }

  async folders(at: FullPlace): Promise<readonly Folder[]> {
    const { path, ...params } = at
    const target = targetOf(`${ENVIRONMENT}/folders`, params, { path })
    return (await this.#ask<{ readonly items: readonly Folder[] }>('GET', target)).items
  }

  createFolder(at: FullPlace & { readonly path: string }): Promise<Folder> {
    const { path, ...params } = at
    return this.#ask('POST', targetOf(`${ENVIRONMENT}/folders`, params), { path })
  }

  renameFolder(id: string, name: string): Promise<Folder> {
    return this.#ask('PATCH', targetOf(FOLDER, { id }), { name })
  }

  deleteFolder(id: string, recursive = false): Promise<void> {
    return this.#ask('DELETE', targetOf(FOLDER, { id }, { recursive }))
  }

  setImports(
    id: string,
    imports: readonly { readonly environment: string; readonly path: string }[],
  ): Promise<Folder> {
    return this.#ask('PUT', targetOf(`${FOLDER}/imports`, { id }), { imports })
  }

  /** What a restore of the folder to that time changes, or with `dryRun` would change. */
  restoreFolder(id: string, at: string, dryRun = false): Promise<RestorePlan> {
    return this.#ask('POST', targetOf(`${FOLDER}/restore`, { id }), { at, dryRun })
  }

  search(
    project: string,
    query: {
      readonly text: string
      readonly in?: 'name' | 'tag' | 'comment'
      readonly match?: 'prefix' | 'substring'
      readonly environment?: string
      readonly path?: string
    },
  ): AsyncGenerator<SearchHit> {
    return this.#all('/api/v1/projects/{project}/search', { project }, query)
  }

  async projects(): Promise<readonly Project[]> {
    return (await this.#ask<{ readonly items: readonly Project[] }>('GET', '/api/v1/projects'))
      .items
  }

  createProject(name: string, environments?: readonly string[]): Promise<Project> {
    return this.#ask('POST', '/api/v1/projects', {
      name,
      ...(environments !== undefined && { environments }),
    })
  }

  async environments(project: string): Promise<readonly Environment[]> {
    const target = targetOf('/api/v1/projects/{project}/environments', { project })
    return (await this.#ask<{ readonly items: readonly Environment[] }>('GET', target)).items
  }

  createEnvironment(project: string, slug: string, name?: string): Promise<Environment> {
    const target = targetOf('/api/v1/projects/{project}/environments', { project })
    return this.#ask('POST', target, { slug, ...(name !== undefined && { name }) })
  }

  deleteEnvironment(project: string, environment: string): Promise<void> {
    return this.#ask('DELETE', targetOf(ENVIRONMENT, { project, environment }))
  }
}
