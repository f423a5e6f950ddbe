/**
 * Keeps web pages out. A page in a browser can reach a server on loopback, so every request must
 * name this server as its host (against DNS rebinding), come from no other origin, and carry JSON
 * (which a form cannot send). No answer ever holds a CORS header.
 */
import type { IncomingHttpHeaders } from 'node:http'
import { Fault } from '@quorate/base'
import { type Address, addressText } from '../net/listen.ts'

export type Guard = {
  readonly hosts: ReadonlySet<string>
  readonly origins: ReadonlySet<string>
}

const LOOPBACK = ['localhost', '127.0.0.1', '[::1]']

/** The host names that mean a server at this address: the address itself, and loopback by each of its names. */
export function ownHosts(address: Address): readonly string[] {
  if ('path' in address) return ['localhost']
  const host = address.host.includes(':') ? `[${address.host}]` : address.host
  return LOOPBACK.includes(host)
    ? LOOPBACK.map((name) => `${name}:${address.port}`)
    : [addressText(address)]
}

/** @throws platform/refused-host, platform/refused-origin */
export function checkSource({ hosts, origins }: Guard, headers: IncomingHttpHeaders): void {
  if (headers.host === undefined || !hosts.has(headers.host.toLowerCase()))
    throw new Fault('platform/refused-host')
  const { origin } = headers
  if (origin !== undefined && !origins.has(origin)) throw new Fault('platform/refused-origin')
  // Browsers leave Origin out of plain GETs, but say here that a page of another site asks.
  const site = headers['sec-fetch-site']
  if (origin === undefined && site !== undefined && site !== 'none' && site !== 'same-origin')
    throw new Fault('platform/refused-origin')
}

/** @throws platform/not-json for a request that may change something and is not JSON */
export function checkContentType(method: string, headers: IncomingHttpHeaders): void {
  if (method !== 'POST' && method !== 'PUT' && method !== 'PATCH') return
  if (!/^application\/json\s*(;\s*charset=utf-8\s*)?$/i.test(headers['content-type'] ?? ''))
    throw new Fault('platform/not-json')
}

/** On every answer: nothing is cached, sniffed, framed or run. */
export const SECURITY_HEADERS: { readonly [name: string]: string } = {
  'cache-control': 'no-store',
  'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
  'cross-origin-resource-policy': 'same-origin',
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
}
