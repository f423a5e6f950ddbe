/**
 * A node of a network, as `--rpc` names it. Its URL often holds an access key, in its path as much as
 * anywhere else, so nothing of it is ever shown.
 */
import { Fault, toBase64, utf8 } from '@quorate/base'
import type { Given, Options } from '../command.ts'

const TIMEOUT_MS = 30_000
const MAX_BYTES = 16 << 20

export const RPC_OPTIONS: Options = {
  rpc: {
    kind: 'text',
    value: 'URL',
    about: 'a node of the network: JSON-RPC for Ethereum and Solana, an Esplora API for Bitcoin',
  },
  'allow-http': {
    kind: 'flag',
    about: 'lets --rpc be http to another machine, where others can read and change it',
  },
}

export type Answer = { readonly status: number; readonly body: Uint8Array }

export type Endpoint = {
  /** `path` goes below that of the URL, whose query is kept. @throws cli/rpc-unreachable, cli/rpc-bad-answer */
  get(path: string): Promise<Answer>
  post(path: string, type: 'application/json' | 'text/plain', body: string): Promise<Answer>
}

/** The node that --rpc names, if it is given. @throws cli/bad-value, cli/unsafe-url */
export function endpointOf(given: Given): Endpoint | undefined {
  const text = given.text('rpc')
  return text === undefined ? undefined : endpointAt(text, given.flag('allow-http'))
}

/** @throws cli/bad-value, cli/unsafe-url */
export function endpointAt(text: string, isHttpAllowed: boolean): Endpoint {
  const base = parse(text)
  if (base.protocol === 'http:' && !isHttpAllowed && !isLoopback(base.hostname))
    throw new Fault('cli/unsafe-url')
  const { username, password } = base
  const headers: { [name: string]: string } =
    username + password === ''
      ? {}
      : {
          authorization: `Basic ${toBase64(utf8(`${decodeURIComponent(username)}:${decodeURIComponent(password)}`))}`,
        }
  base.username = ''
  base.password = ''
  const at = (path: string): URL => {
    const url = new URL(base)
    url.pathname = `${base.pathname.replace(/\/+$/, '')}${path}`
    return url
  }
  return {
    get: (path) => request(at(path), { headers }),
    post: (path, type, body) =>
      request(path === '' ? base : at(path), {
        method: 'POST',
        headers: { ...headers, 'content-type': type },
        body,
      }),
  }
}

function parse(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (url === undefined || !['http:', 'https:'].includes(url.protocol))
    throw new Fault('cli/bad-value', { detail: '--rpc takes https://… or http://…' })
  return url
}

const isLoopback = (host: string): boolean =>
  host === 'localhost' || host === '[::1]' || /^127(\.\d{1,3}){3}$/.test(host)

async function request(url: URL, init: RequestInit): Promise<Answer> {
  try {
    // Nobody may send the request on to where it was not meant to go.
    const response = await fetch(url, {
      ...init,
      redirect: 'error',
      signal: AbortSignal.timeout(TIMEOUT_MS),
    })
    return { status: response.status, body: await bodyOf(response) }
  } catch (error) {
    if (error instanceof Fault) throw error
    // The error itself may quote the URL.
    throw new Fault('cli/rpc-unreachable', { detail: reasonOf(error) })
  }
}

async function bodyOf({ body }: Response): Promise<Uint8Array> {
  const parts: Uint8Array[] = []
  let length = 0
  for await (const part of (body ?? []) as AsyncIterable<Uint8Array>) {
    length += part.length
    if (length > MAX_BYTES) throw new Fault('cli/rpc-bad-answer', { detail: 'over 16 MiB' })
    parts.push(part)
  }
  return Buffer.concat(parts)
}

function reasonOf(error: unknown): string {
  const { name, cause } = error as { readonly name?: unknown; readonly cause?: unknown }
  if (name === 'TimeoutError') return `no answer within ${TIMEOUT_MS / 1000} s`
  const code = (cause as { readonly code?: unknown } | undefined)?.code
  return typeof code === 'string' && /^[A-Z0-9_]{1,40}$/.test(code) ? code : 'no connection'
}
