/**
 * The first administrator. While there is none, each start puts a one-time secret into a file that only
 * the owner of the data directory can read; it is good for an hour and for one use.
 */
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { Fault, isFault, isName, newId, utf8 } from '@quorate/base'
import { writeFileAtomic } from '@quorate/platform'
import type { KmsContext } from '../../context.ts'
import { type Documents, joinWrites } from '../access/documents.ts'
import { EVERYWHERE } from '../access/model.ts'
import type { Connection } from '../access/port.ts'
import type { AccessService } from '../access/service.ts'
import { hasAdministrator } from '../identities/administrators.ts'
import type { Identity, IdentityBody } from '../identities/model.ts'
import { mintSecret, parseSecret } from '../tokens/secret-text.ts'
import {
  DEFAULT_LIMITS,
  type MintedSecret,
  type MintedToken,
  PERSONAL_SECRET_SECONDS,
  type TokenService,
} from '../tokens/service.ts'

export const BOOTSTRAP_FILE = 'bootstrap-secret'
const LIFE_MS = 3_600_000
/** Old secrets that one start removes; there is one, unless starts were many. */
const MAX_OLD = 100

export type FirstAdministrator = {
  readonly identity: Identity
  readonly minted: MintedToken
  /** What he signs in with once the token has ended. */
  readonly signIn: MintedSecret
}

export class BootstrapService {
  readonly #context: KmsContext
  readonly #access: AccessService
  readonly #tokens: TokenService
  readonly #identities: Documents<IdentityBody>

  constructor(context: KmsContext, access: AccessService, tokens: TokenService) {
    this.#context = context
    this.#access = access
    this.#tokens = tokens
    this.#identities = access.identities
  }

  get #path(): string {
    return join(this.#context.options.directory, BOOTSTRAP_FILE)
  }

  /**
   * Makes the secret where there is no administrator; older ones stop working. The path of its file, or
   * `undefined` where none is needed.
   */
  offer(): Promise<string | undefined> {
    return this.#access.exclusive(async () => {
      const { clock, random, journal, logger } = this.#context
      const old = await this.#tokens.credentials.list('bootstrap', '', { limit: MAX_OLD })
      const removals = old.map((each) => this.#tokens.credentials.remove(each))
      const isNeeded = !(await hasAdministrator(this.#identities))
      if (!isNeeded && old.length === 0) return undefined
      const now = clock.now()
      const text = mintSecret('qkb', random)
      const secret = parseSecret('qkb', text)!
      const fresh = this.#tokens.credentials.insert({
        digest: this.#tokens.digestOf('bootstrap', secret),
        id: newId('tok', now, random),
        kind: 'bootstrap',
        identity: '',
        expiresAt: now + LIFE_MS,
        usesLeft: 1,
        body: {},
      })
      secret.fill(0)
      await journal.commit({
        ...joinWrites(...removals, ...(isNeeded ? [fresh] : [])),
        audit: [
          {
            actor: 'system',
            action: 'bootstrap.offer',
            resource: 'bootstrap-secret',
            decision: 'none',
            outcome: 'done',
            fields: [],
          },
        ],
      })
      if (!isNeeded) {
        rmSync(this.#path, { force: true })
        return undefined
      }
      writeFileAtomic(this.#path, utf8(`${text}\n`))
      logger.log('warn', 'kms.bootstrap-secret', { path: this.#path, minutes: LIFE_MS / 60_000 })
      return this.#path
    })
  }

  /** Makes the first administrator. Answers only to the secret. @throws kms/unauthenticated, kms/bad-name */
  redeem(
    text: string,
    name: string,
    from: { readonly connection: Connection; readonly requestId: string },
  ): Promise<FirstAdministrator> {
    return this.#access.exclusive(async () => {
      const { clock, random, journal } = this.#context
      const secret = parseSecret('qkb', text)
      const found =
        secret === undefined
          ? undefined
          : await this.#tokens.credentials.byDigest(
              'bootstrap',
              this.#tokens.digestOf('bootstrap', secret),
            )
      const record = {
        action: 'bootstrap.redeem',
        resource: 'bootstrap-secret',
        requestId: from.requestId as never,
        fields: [{ name: 'address', kind: 'text', value: from.connection.address }],
      } as const
      if (found === undefined || found.expiresAt <= clock.now()) {
        await journal.record({ ...record, actor: 'system', decision: 'deny', outcome: 'failed' })
        throw new Fault('kms/unauthenticated')
      }
      if (!isName(name))
        throw new Fault('kms/bad-name', { detail: '1 to 64 letters, digits, ".", "_" or "-"' })
      const now = clock.now()
      const identity: Identity = {
        id: newId('idn', now, random),
        project: EVERYWHERE,
        name,
        version: 1,
        body: {
          kind: 'user',
          isActive: true,
          groups: [],
          grants: [
            {
              id: newId('grt', now, random),
              scope: EVERYWHERE,
              role: 'admin',
              reason: 'bootstrap',
              by: 'system',
              at: now,
            },
          ],
          approverKeys: [],
          methods: { universal: { limits: DEFAULT_LIMITS } },
          createdAt: now,
          createdBy: 'system',
        },
      }
      const minted = this.#tokens.mint({
        identity: identity.id,
        name: 'bootstrap',
        method: 'bootstrap',
        createdBy: 'system',
        limits: DEFAULT_LIMITS,
      })
      const signIn = this.#tokens.mintClientSecret({
        identity: identity.id,
        description: 'bootstrap',
        createdBy: 'system',
        ttlSeconds: PERSONAL_SECRET_SECONDS,
        maxUses: 0,
      })
      try {
        await journal.commit({
          ...joinWrites(
            this.#tokens.credentials.remove(found),
            this.#identities.insert(identity),
            minted.writes,
            signIn.writes,
          ),
          audit: [
            {
              ...record,
              actor: identity.id,
              decision: 'allow',
              reason: 'bootstrap',
              outcome: 'done',
            },
          ],
        })
      } catch (error) {
        if (isFault(error, 'platform/constraint'))
          throw new Fault('kms/name-taken', { cause: error })
        throw error
      }
      rmSync(this.#path, { force: true })
      return { identity, minted, signIn }
    })
  }
}
