/**
 * Who may call the bridge. Old clients can sign nothing, so each sends a token; the gateway keeps the
 * SHA-256 of it only, and whoever reads its file can call nothing with that.
 */
import { createHash } from 'node:crypto'
import { equalBytes, Fault, fromHex, isName, type Random, toBase64url, toHex } from '@quorate/base'

export type Caller = {
  readonly name: string
  /** SHA-256, 32 bytes. */
  readonly digest: Uint8Array
}

const TOKEN_BYTES = 32
const MAX_CALLERS = 1000
const LINE = /^(\S+)\s+sha256:([0-9a-f]{64})$/

const digestOf = (token: string): Uint8Array =>
  new Uint8Array(createHash('sha256').update(token).digest())

/** A new token, and the line by which the gateway knows it. */
export function newToken(
  name: string,
  random: Random,
): { readonly token: string; readonly line: string } {
  const token = `qgw_${toBase64url(random.bytes(TOKEN_BYTES))}`
  return { token, line: `${name} sha256:${toHex(digestOf(token))}` }
}

/** The callers in a file. Empty lines and lines with `#` count for nothing. @throws gateway/bad-tokens naming the line */
export function readCallers(text: string): readonly Caller[] {
  const callers = text.split(/\r?\n/).flatMap((line, i): readonly Caller[] => {
    const trimmed = line.trim()
    if (trimmed === '' || trimmed.startsWith('#')) return []
    const [, name = '', digest = ''] = LINE.exec(trimmed) ?? []
    if (!isName(name)) throw new Fault('gateway/bad-tokens', { detail: `line ${i + 1}` })
    return [{ name, digest: fromHex(digest) }]
  })
  if (new Set(callers.map(({ name }) => name)).size !== callers.length)
    throw new Fault('gateway/bad-tokens', { detail: 'a name appears twice' })
  if (callers.length > MAX_CALLERS)
    throw new Fault('gateway/bad-tokens', { detail: `more than ${MAX_CALLERS} callers` })
  return callers
}

/** The caller without a token, where that is allowed. */
const ANYBODY = 'loopback'

/**
 * The name of the caller whose token an `Authorization` header or, as some old clients send it, an
 * `X-API-Key` header holds. Treats the token as secret.
 * @throws gateway/unauthenticated
 */
export function callerOf(
  header: (name: string) => string | undefined,
  callers: readonly Caller[],
  isOpen: boolean,
): string {
  const authorization = header('authorization')
  const token = authorization?.startsWith('Bearer ')
    ? authorization.slice('Bearer '.length)
    : header('x-api-key')
  if (token === undefined) {
    if (isOpen && authorization === undefined) return ANYBODY
    throw new Fault('gateway/unauthenticated')
  }
  const digest = digestOf(token)
  let found: string | undefined
  for (const { name, digest: known } of callers) if (equalBytes(known, digest)) found = name
  if (found === undefined) throw new Fault('gateway/unauthenticated')
  return found
}
