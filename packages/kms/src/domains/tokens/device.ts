/**
 * Signing in on a device without a token, approved from another one that has one. The device shows a
 * short code; whoever is signed in elsewhere types it there, sees what asks and from where, and gives the
 * device a token of his own identity. Codes live ten minutes, in memory only.
 */
import { equalBytes, Fault, type Id, toHex, utf8 } from '@quorate/base'
import type { KmsContext } from '../../context.ts'
import type { Connection, Principal } from '../access/port.ts'
import { mintSecret, parseSecret } from './secret-text.ts'
import { DEFAULT_LIMITS, type MintedToken, type TokenService } from './service.ts'
import { selfRecord } from './use-cases.ts'

const LIFE_MS = 10 * 60_000
const MAX_PENDING = 1_000
/** No vowels, so no words; nothing that looks like something else. */
const CODE_ALPHABET = 'BCDFGHJKLMNPQRSTVWXZ'
const CODE_LENGTH = 8

export type PendingDevice = {
  readonly userCode: string
  readonly name: string
  readonly address: string
  readonly requestedAt: number
}
type Pending = PendingDevice & {
  readonly deviceDigest: string
  readonly expiresAt: number
  readonly approved: { readonly principal: Principal } | undefined
}

export class DeviceSignIn {
  readonly #context: KmsContext
  readonly #tokens: TokenService
  /** By user code. */
  readonly #pending = new Map<string, Pending>()

  constructor(context: KmsContext, tokens: TokenService) {
    this.#context = context
    this.#tokens = tokens
  }

  /** @throws kms/limit-reached where too many wait already */
  begin(
    name: string,
    { address }: Connection,
  ): { readonly deviceCode: string; readonly userCode: string; readonly expiresAt: number } {
    const now = this.#context.clock.now()
    for (const [code, { expiresAt }] of this.#pending)
      if (expiresAt <= now) this.#pending.delete(code)
    if (this.#pending.size >= MAX_PENDING) throw new Fault('kms/limit-reached')
    const deviceCode = mintSecret('qkd', this.#context.random)
    const userCode = this.#userCode()
    const expiresAt = now + LIFE_MS
    this.#pending.set(userCode, {
      userCode,
      name,
      address,
      requestedAt: now,
      deviceDigest: this.#digest(deviceCode),
      expiresAt,
      approved: undefined,
    })
    return { deviceCode, userCode, expiresAt }
  }

  /** What waits under this code, to be shown before it is approved. @throws kms/not-found */
  look(userCode: string): PendingDevice {
    const { name, address, requestedAt } = this.#find(userCode)
    return { userCode, name, address, requestedAt }
  }

  /** Lets the device have a token of the caller's identity. @throws kms/not-found */
  async approve(userCode: string, principal: Principal): Promise<void> {
    const pending = this.#find(userCode)
    if (pending.approved !== undefined) throw new Fault('kms/not-found')
    await this.#context.journal.record({
      ...selfRecord(principal, 'auth.approve-device'),
      outcome: 'done',
      fields: [
        { name: 'device', kind: 'text', value: pending.name },
        { name: 'address', kind: 'text', value: pending.address },
      ],
    })
    this.#pending.set(userCode, { ...pending, approved: { principal } })
  }

  /** The device's token once it is approved, `undefined` before. @throws kms/unauthenticated */
  async collect(deviceCode: string, requestId: Id<'req'>): Promise<MintedToken | undefined> {
    if (parseSecret('qkd', deviceCode) === undefined) throw new Fault('kms/unauthenticated')
    const digest = this.#digest(deviceCode)
    const pending = [...this.#pending.values()].find((each) =>
      equalBytes(utf8(each.deviceDigest), utf8(digest)),
    )
    if (pending === undefined || pending.expiresAt <= this.#context.clock.now())
      throw new Fault('kms/unauthenticated')
    if (pending.approved === undefined) return undefined
    this.#pending.delete(pending.userCode)
    const { principal } = pending.approved
    const minted = this.#tokens.mint({
      identity: principal.id,
      name: pending.name,
      method: 'device',
      createdBy: principal.id,
      limits: DEFAULT_LIMITS,
    })
    await this.#context.journal.commit({
      ...minted.writes,
      audit: [
        {
          ...selfRecord(principal, 'auth.login'),
          resource: minted.token.id,
          reason: 'method:device',
          requestId,
          outcome: 'done',
          fields: [{ name: 'device', kind: 'text', value: pending.name }],
        },
      ],
    })
    return minted
  }

  /** Forgets every code. */
  clear(): void {
    this.#pending.clear()
  }

  #find(userCode: string): Pending {
    const pending = this.#pending.get(userCode)
    if (pending === undefined || pending.expiresAt <= this.#context.clock.now())
      throw new Fault('kms/not-found')
    return pending
  }

  #digest(deviceCode: string): string {
    return toHex(this.#context.barrier.pepper('device', utf8(deviceCode)))
  }

  /** Uniform: a byte over the last whole multiple of the alphabet is thrown away. */
  #userCode(): string {
    let code = ''
    while (code.length < CODE_LENGTH)
      for (const byte of this.#context.random.bytes(16))
        if (byte < 240 && code.length < CODE_LENGTH) code += CODE_ALPHABET[byte % 20]!
    return this.#pending.has(code) ? this.#userCode() : code
  }
}
