/**
 * HTTP to a KMS: over its unix socket, over TCP on this machine, or over TLS with the server's
 * certificate pinned by its fingerprint.
 */
import { type ClientRequest, request as httpRequest, type IncomingMessage } from 'node:http'
import { connect, type TLSSocket } from 'node:tls'
import { fromProblem, PROBLEM_CONTENT_TYPE } from '@quorate/api'
import { Fault, fromUtf8, type Secret, utf8 } from '@quorate/base'

export type KmsEndpoint =
  | { readonly socketPath: string }
  | {
      readonly host: string
      readonly port: number
      /** TLS; `fingerprint` is the SHA-256 of the certificate in hex, without it public authorities vouch. */
      readonly tls?: { readonly fingerprint?: string }
    }

export type KmsCall = {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'
  /** Path and query. */
  readonly target: string
  readonly token?: Secret<string> | undefined
  readonly headers?: { readonly [name: string]: string }
  /** JSON. */
  readonly body?: unknown
}

export type KmsAnswer<T> = {
  readonly status: number
  /** JSON, or text where the server sends no JSON; `undefined` where it sends nothing. */
  readonly body: T
  /** The version that a later change may demand. */
  readonly etag: string | undefined
}

const TIMEOUT_MS = 30_000
const MAX_ANSWER_BYTES = 64 * 1024 * 1024
const DEFAULT_PORT = 8200

/**
 * The endpoint that a text names: `unix:/path`, `http://127.0.0.1:8200`, `https://host:8200`, the latter
 * with the fingerprint of its certificate after `#` where it is self-signed.
 * @throws sdk/bad-address
 */
export function parseKmsAddress(text: string): KmsEndpoint {
  if (text.startsWith('unix:')) return { socketPath: text.slice(5) }
  const [, scheme = '', host = '', port = '', fingerprint = ''] =
    /^(https?):\/\/([0-9A-Za-z.-]+|\[[0-9a-fA-F:]+\])(?::(\d{1,5}))?\/?(?:#(?:sha256:)?([0-9a-fA-F:]+))?$/.exec(
      text,
    ) ?? []
  const digits = fingerprint.replaceAll(':', '').toLowerCase()
  if (scheme === '' || (fingerprint !== '' && (digits.length !== 64 || scheme === 'http')))
    throw new Fault('sdk/bad-address')
  const plain = host.replace(/^\[|\]$/g, '')
  if (scheme === 'http' && !/^(localhost|127\.\d+\.\d+\.\d+|::1)$/.test(plain))
    throw new Fault('sdk/bad-address', { detail: 'plain http is for this machine only' })
  return {
    host: plain,
    port: port === '' ? DEFAULT_PORT : Number(port),
    ...(scheme === 'https' && { tls: digits === '' ? {} : { fingerprint: digits } }),
  }
}

/**
 * What the server answers.
 * @throws the server's own fault, by its code; sdk/unreachable, sdk/timeout, sdk/bad-answer, sdk/other-certificate
 */
export function sendToKms<T>(endpoint: KmsEndpoint, call: KmsCall): Promise<KmsAnswer<T>> {
  return new Promise((resolve, reject) => {
    const body = call.body === undefined ? undefined : utf8(JSON.stringify(call.body))
    const fail = (cause: NodeJS.ErrnoException): void => {
      reject(
        cause instanceof Fault
          ? cause
          : new Fault('sdk/unreachable', { cause, detail: cause.code ?? 'no connection' }),
      )
    }
    const begin = (socket?: TLSSocket): void => {
      const outgoing = open(endpoint, call, body, socket, (answer) => {
        collect(answer, outgoing).then((bytes) => {
          try {
            resolve(read<T>(answer, bytes))
          } catch (error) {
            reject(error as Error)
          }
        }, reject)
      })
      outgoing.on('timeout', () => outgoing.destroy(new Fault('sdk/timeout')))
      outgoing.on('error', fail)
      outgoing.end(body)
    }
    if ('tls' in endpoint && endpoint.tls !== undefined) secure(endpoint, begin, fail)
    else begin()
  })
}

function open(
  endpoint: KmsEndpoint,
  { method, target, token, headers = {} }: KmsCall,
  body: Uint8Array | undefined,
  socket: TLSSocket | undefined,
  onAnswer: (answer: IncomingMessage) => void,
): ClientRequest {
  const to = 'socketPath' in endpoint ? endpoint : { host: endpoint.host, port: endpoint.port }
  const host = 'socketPath' in endpoint ? 'localhost' : hostText(endpoint)
  return httpRequest(
    {
      ...to,
      ...(socket !== undefined && { createConnection: () => socket }),
      agent: false,
      method,
      path: target,
      timeout: TIMEOUT_MS,
      headers: {
        host,
        accept: 'application/json',
        ...(body !== undefined && {
          'content-type': 'application/json',
          'content-length': String(body.length),
        }),
        ...(token !== undefined && { authorization: `Bearer ${token.expose()}` }),
        ...headers,
      },
    },
    onAnswer,
  )
}

const hostText = ({ host, port }: { readonly host: string; readonly port: number }): string =>
  `${host.includes(':') ? `[${host}]` : host}:${port}`

/** Connects, and sends nothing before the certificate is the one that was pinned. */
function secure(
  { host, port, tls = {} }: Exclude<KmsEndpoint, { readonly socketPath: string }>,
  onReady: (socket: TLSSocket) => void,
  onError: (error: Error) => void,
): void {
  const { fingerprint } = tls
  const socket = connect({
    host,
    port,
    // A server name is a name; an address is checked by the certificate alone.
    ...(/^[\d.]+$|:/.test(host) ? {} : { servername: host }),
    rejectUnauthorized: fingerprint === undefined,
    minVersion: 'TLSv1.3',
  })
  socket.setTimeout(TIMEOUT_MS, () => socket.destroy(new Fault('sdk/timeout')))
  socket.once('error', onError)
  socket.once('secureConnect', () => {
    const shown = socket.getPeerCertificate().fingerprint256.replaceAll(':', '').toLowerCase()
    if (fingerprint !== undefined && shown !== fingerprint) {
      socket.destroy()
      onError(new Fault('sdk/other-certificate'))
      return
    }
    socket.off('error', onError)
    onReady(socket)
  })
}

function collect(answer: IncomingMessage, outgoing: ClientRequest): Promise<Uint8Array> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = []
    let length = 0
    answer.on('data', (chunk: Buffer) => {
      chunks.push(chunk)
      length += chunk.length
      if (length > MAX_ANSWER_BYTES)
        outgoing.destroy(new Fault('sdk/bad-answer', { detail: 'too long' }))
    })
    answer.on('end', () => resolve(Buffer.concat(chunks)))
    answer.on('error', reject)
  })
}

function read<T>(
  { statusCode: status = 0, headers }: IncomingMessage,
  bytes: Uint8Array,
): KmsAnswer<T> {
  const type = headers['content-type'] ?? ''
  if (type.startsWith(PROBLEM_CONTENT_TYPE)) throw fromProblem(parse(bytes), status)
  if (status < 200 || status > 299) throw new Fault('sdk/bad-answer', { detail: `HTTP ${status}` })
  const body =
    bytes.length === 0
      ? undefined
      : /^application\/json\b/.test(type)
        ? parse(bytes)
        : (fromUtf8(bytes) ?? '')
  return { status, body: body as T, etag: headers.etag }
}

function parse(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(fromUtf8(bytes) ?? '')
  } catch (cause) {
    throw new Fault('sdk/bad-answer', { cause, detail: 'not JSON' })
  }
}
