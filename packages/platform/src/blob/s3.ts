/**
 * Blobs in a bucket of Amazon S3 or a server that speaks its protocol. Requests carry Signature Version 4 over the
 * hash of the whole body, so what is stored is what was sent.
 */
import { createHash } from 'node:crypto'
import { Fault } from '@quorate/base'
import { BLOB_KEY, type BlobInfo, type BlobStore } from './port.ts'

export type S3Options = {
  readonly bucket: string
  /** Before every key; empty, or ending in `/`. */
  readonly prefix: string
  readonly region: string
  /** `https://…` of a server that is not Amazon's; the bucket is then the first part of the path. */
  readonly endpoint?: string | undefined
  readonly accessKeyId: string
  readonly secretAccessKey: string
  readonly sessionToken?: string | undefined
  /** Of one request; 60 s unless told. */
  readonly timeoutMs?: number
}

type Client = {
  fetch(url: string, init: RequestInit): Promise<Response>
}

const TRIES = 4
const TIMEOUT_MS = 60_000
/** Of a page of a list, which has at most 1 000 keys. */
const MAX_PAGE_BYTES = 4 << 20

/** The store; nothing is asked of the server yet. @throws platform/bad-blob-store for a plain endpoint that is not this machine */
export async function openS3(options: S3Options): Promise<BlobStore> {
  const { bucket, region, endpoint, accessKeyId, secretAccessKey, sessionToken } = options
  if (endpoint !== undefined) checkEndpoint(endpoint)
  const { AwsClient } = await import('aws4fetch')
  const client = new AwsClient({
    accessKeyId,
    secretAccessKey,
    region,
    service: 's3',
    retries: TRIES - 1,
    ...(sessionToken !== undefined && { sessionToken }),
  })
  const base =
    endpoint === undefined
      ? `https://${bucket}.s3.${region}.amazonaws.com`
      : `${endpoint.replace(/\/$/, '')}/${bucket}`
  return new S3(client, base, options)
}

/** Credentials and names of objects do not travel in the clear. */
function checkEndpoint(endpoint: string): void {
  const { protocol, hostname } = URL.canParse(endpoint)
    ? new URL(endpoint)
    : { protocol: '', hostname: '' }
  const isHere = ['127.0.0.1', 'localhost', '[::1]'].includes(hostname)
  if (protocol !== 'https:' && !(protocol === 'http:' && isHere))
    throw new Fault('platform/bad-blob-store', { detail: 'the endpoint must be https' })
}

class S3 implements BlobStore {
  readonly place: string
  readonly #client: Client
  readonly #base: string
  readonly #prefix: string
  readonly #timeoutMs: number

  constructor(client: Client, base: string, { bucket, prefix, timeoutMs = TIMEOUT_MS }: S3Options) {
    this.#client = client
    this.#base = base
    this.#prefix = prefix
    this.#timeoutMs = timeoutMs
    this.place = `s3://${bucket}/${prefix}`
  }

  async #ask(path: string, init: RequestInit, accepted: readonly number[]): Promise<Response> {
    let response: Response
    try {
      const signal = AbortSignal.timeout(this.#timeoutMs)
      response = await this.#client.fetch(`${this.#base}${path}`, {
        ...init,
        signal,
        redirect: 'error',
      })
    } catch (cause) {
      throw new Fault('platform/blob-store-failed', { detail: 'it does not answer', cause })
    }
    if (accepted.includes(response.status)) return response
    await response.body?.cancel()
    throw new Fault('platform/blob-store-failed', { detail: `it answers ${response.status}` })
  }

  #pathOf(key: string): string {
    if (!BLOB_KEY.test(key)) throw new Fault('platform/bad-blob-key')
    return `/${this.#prefix}${key}`
  }

  async put(key: string, bytes: Uint8Array): Promise<void> {
    const headers = {
      'content-type': 'application/octet-stream',
      'x-amz-content-sha256': createHash('sha256').update(bytes).digest('hex'),
    }
    const response = await this.#ask(
      this.#pathOf(key),
      { method: 'PUT', body: bytes as Uint8Array<ArrayBuffer>, headers },
      [200],
    )
    await response.body?.cancel()
  }

  async get(key: string, { maxBytes }: { readonly maxBytes: number }): Promise<Uint8Array> {
    const response = await this.#ask(this.#pathOf(key), { method: 'GET' }, [200, 404])
    if (response.status === 404) {
      await response.body?.cancel()
      throw new Fault('platform/no-blob', { detail: key })
    }
    return readBody(response, maxBytes)
  }

  async list(prefix: string): Promise<readonly BlobInfo[]> {
    const found: BlobInfo[] = []
    let token: string | undefined
    do {
      const query = new URLSearchParams({ 'list-type': '2', prefix: this.#prefix + prefix })
      if (token !== undefined) query.set('continuation-token', token)
      const response = await this.#ask(`/?${query.toString()}`, { method: 'GET' }, [200])
      const page = new TextDecoder().decode(await readBody(response, MAX_PAGE_BYTES))
      for (const [, entry = ''] of page.matchAll(/<Contents>(.*?)<\/Contents>/gs)) {
        const key = element(entry, 'Key')?.slice(this.#prefix.length)
        const size = Number(element(entry, 'Size'))
        // What others keep in the bucket may have names that need escaping; ours do not.
        if (key !== undefined && BLOB_KEY.test(key) && Number.isSafeInteger(size))
          found.push({ key, size })
      }
      token =
        element(page, 'IsTruncated') === 'true' ? element(page, 'NextContinuationToken') : undefined
    } while (token !== undefined)
    return found.sort((a, b) => (a.key < b.key ? -1 : 1))
  }

  async delete(key: string): Promise<void> {
    const response = await this.#ask(this.#pathOf(key), { method: 'DELETE' }, [200, 204, 404])
    await response.body?.cancel()
  }
}

/** The text of the first element of that name. */
const element = (xml: string, name: string): string | undefined =>
  new RegExp(`<${name}>([^<]*)</${name}>`)
    .exec(xml)?.[1]
    ?.replaceAll('&amp;', '&')
    .replaceAll('&quot;', '"')

/** No more is read than may be kept. */
async function readBody(response: Response, maxBytes: number): Promise<Uint8Array> {
  const chunks: Uint8Array[] = []
  let length = 0
  try {
    for await (const chunk of response.body ?? []) {
      length += (chunk as Uint8Array).length
      if (length > maxBytes)
        throw new Fault('platform/file-too-large', { detail: `at most ${maxBytes} bytes` })
      chunks.push(chunk as Uint8Array)
    }
  } catch (cause) {
    if (cause instanceof Fault) throw cause
    throw new Fault('platform/blob-store-failed', { detail: 'its answer was cut off', cause })
  }
  return new Uint8Array(Buffer.concat(chunks))
}
