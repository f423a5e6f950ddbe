/**
 * One JSON document from an identity provider: TLS against a given authority, no redirects, bounded in
 * size and time. Whatever goes wrong is one and the same fault for who asks; the cause is for the log.
 */
import http from 'node:http'
import https from 'node:https'
import { Fault } from '@quorate/base'

export type FetchOptions = {
  /** PEM; the system's authorities where absent. */
  readonly ca?: string | undefined
  /** POSTed as JSON with this bearer token. */
  readonly post?: { readonly bearer: string; readonly body: unknown }
}

/** @throws kms/identity-provider */
export type FetchJson = (url: string, options?: FetchOptions) => Promise<unknown>

const MAX_BYTES = 512 * 1024
const TIMEOUT_MS = 5_000

export const fetchJson: FetchJson = (url, { ca, post } = {}) =>
  new Promise((resolve, reject) => {
    const refuse = (detail: string, cause?: unknown): void =>
      reject(new Fault('kms/identity-provider', { detail, cause }))
    const isTls = url.startsWith('https:')
    const request = (isTls ? https : http).request(url, {
      method: post === undefined ? 'GET' : 'POST',
      headers: {
        accept: 'application/json',
        ...(post === undefined
          ? {}
          : { 'content-type': 'application/json', authorization: `Bearer ${post.bearer}` }),
      },
      // A connection for this request alone: what another one negotiated says nothing about it.
      agent: false,
      signal: AbortSignal.timeout(TIMEOUT_MS),
      ...(ca === undefined ? {} : { ca }),
    })
    request.on('error', (error) => refuse('no answer', error))
    request.on('response', (response) => {
      const parts: Buffer[] = []
      let length = 0
      response.on('error', (error) => refuse('the answer broke off', error))
      response.on('data', (part: Buffer) => {
        length += part.length
        if (length > MAX_BYTES) request.destroy(new Error('too long'))
        else parts.push(part)
      })
      response.on('end', () => {
        const status = response.statusCode ?? 0
        if (status < 200 || status > 299) return refuse(`status ${status}`)
        try {
          resolve(JSON.parse(Buffer.concat(parts).toString('utf8')))
        } catch (error) {
          refuse('the answer is not JSON', error)
        }
      })
    })
    request.end(post === undefined ? undefined : JSON.stringify(post.body))
  })
