/**
 * Identities: enrolling, changing, removing, and what they sign in and approve with. Whoever could act
 * as somebody else by it holds all that the other does.
 */
import { Fault, newId } from '@quorate/base'
import type { KmsContext } from '../../context.ts'
import { type By, doneBy } from '../access/act.ts'
import { checkIfMatch, joinWrites, orConflict, type Writes } from '../access/documents.ts'
import { EVERYWHERE, type Scope } from '../access/model.ts'
import type { IdentityKind } from '../access/port.ts'
import type { AccessService } from '../access/service.ts'
import type { MethodSettings } from '../auth-methods/model.ts'
import { checkMethods } from '../auth-methods/settings.ts'
import { DEFAULT_LIMITS, type TokenService } from '../tokens/service.ts'
import type { Credential, CredentialKind } from '../tokens/store.ts'
import { checkNotLast } from './administrators.ts'
import { checkedName } from './grant-service.ts'
import {
  type ApproverKey,
  type Identity,
  type IdentityBody,
  MAX_APPROVER_KEYS,
  MAX_GROUPS,
} from './model.ts'

export type NewIdentity = {
  readonly kind: IdentityKind
  readonly name: string
  readonly project: Scope
}
export type IdentityChange = {
  readonly name?: string
  readonly isActive?: boolean
  readonly groups?: readonly string[]
}
/** Who else might be reached by acting as an identity; approvals answer this. */
export type ActingGuard = (identity: Identity, by: By) => Promise<void>

export class IdentityService {
  readonly #context: KmsContext
  readonly #access: AccessService
  readonly #tokens: TokenService
  #guard: ActingGuard = () => Promise.resolve()

  constructor(context: KmsContext, access: AccessService, tokens: TokenService) {
    this.#context = context
    this.#access = access
    this.#tokens = tokens
  }

  /** Asked before anybody gets hold of an identity. */
  guardWith(guard: ActingGuard): void {
    this.#guard = guard
  }

  /** @throws kms/not-found */
  async get(id: string): Promise<Identity> {
    return (await this.#access.identities.get(id)) ?? missing()
  }

  /** @throws kms/name-taken, base/malformed */
  create(by: By, { kind, name, project }: NewIdentity): Promise<Identity> {
    return this.#access.exclusive(async () => {
      const { clock, random } = this.#context
      const now = clock.now()
      const identity: Identity = {
        id: newId('idn', now, random),
        project,
        name: checkedName(name),
        version: 1,
        body: {
          kind,
          isActive: true,
          groups: [],
          grants: [],
          approverKeys: [],
          // People sign in with a secret of their own; a machine's methods are set for it.
          methods: kind === 'user' ? { universal: { limits: DEFAULT_LIMITS } } : {},
          createdAt: now,
          createdBy: by.principal.id,
        },
      }
      await this.#commit(by, this.#access.identities.insert(identity), identity.id)
      return identity
    })
  }

  /** @throws kms/not-found, kms/changed-meanwhile, kms/escalation, kms/last-administrator, kms/name-taken */
  update(by: By, id: string, change: IdentityChange, ifMatch?: string): Promise<Identity> {
    return this.#access.exclusive(async () => {
      const current = await this.get(id)
      checkIfMatch(ifMatch, current.version)
      const { body } = current
      if (change.isActive !== undefined && change.isActive !== body.isActive) {
        await this.checkActsAs(by, current)
        if (!change.isActive)
          await checkNotLast(this.#access.identities, current, { ...body, isActive: false })
      }
      if (change.groups !== undefined) await this.#checkGroups(by, current, change.groups)
      const next: IdentityBody = {
        ...body,
        isActive: change.isActive ?? body.isActive,
        groups: [...new Set(change.groups ?? body.groups)],
      }
      const name = change.name === undefined ? current.name : checkedName(change.name)
      await this.#commit(by, this.#access.identities.update(current, { name, body: next }), id)
      return { ...current, name, version: current.version + 1, body: next }
    })
  }

  /** Removes the identity and all that it signs in with. @throws as `update` */
  remove(by: By, id: string): Promise<void> {
    return this.#access.exclusive(async () => {
      const identity = await this.get(id)
      await this.checkActsAs(by, identity)
      await checkNotLast(this.#access.identities, identity, undefined)
      const credentials = await this.#credentials(id)
      const writes = credentials.map((each) => this.#tokens.credentials.remove(each))
      for (const each of credentials) this.#tokens.forget(each)
      await this.#commit(by, joinWrites(this.#access.identities.remove(identity), ...writes), id)
      for (const each of credentials) this.#tokens.forget(each)
    })
  }

  /** Sets or removes (`undefined`) one sign-in method. @throws kms/bad-auth-method, kms/escalation */
  setMethods(by: By, id: string, methods: MethodSettings): Promise<Identity> {
    return this.#access.exclusive(async () => {
      const current = await this.get(id)
      await this.checkActsAs(by, current)
      const body = {
        ...current.body,
        methods: checkMethods({ ...current.body.methods, ...methods }),
      }
      await this.#commit(by, this.#access.identities.update(current, { body }), id)
      return { ...current, version: current.version + 1, body }
    })
  }

  /** @throws kms/escalation, kms/limit-reached */
  addApproverKey(
    by: By,
    id: string,
    key: Pick<ApproverKey, 'publicKey' | 'name'>,
  ): Promise<ApproverKey> {
    return this.#access.exclusive(async () => {
      const { clock, random } = this.#context
      const now = clock.now()
      const current = await this.get(id)
      await this.checkActsAs(by, current)
      if (current.body.approverKeys.length >= MAX_APPROVER_KEYS)
        throw new Fault('kms/limit-reached')
      const added: ApproverKey = {
        id: newId('apk', now, random),
        scheme: 'ed25519',
        ...key,
        createdAt: now,
      }
      const body = { ...current.body, approverKeys: [...current.body.approverKeys, added] }
      await this.#commit(by, this.#access.identities.update(current, { body }), added.id)
      return added
    })
  }

  removeApproverKey(by: By, id: string, keyId: string): Promise<void> {
    return this.#access.exclusive(async () => {
      const current = await this.get(id)
      await this.checkActsAs(by, current)
      const approverKeys = current.body.approverKeys.filter((key) => key.id !== keyId)
      if (approverKeys.length === current.body.approverKeys.length) missing()
      const body = { ...current.body, approverKeys }
      await this.#commit(by, this.#access.identities.update(current, { body }), keyId)
    })
  }

  /**
   * Refuses who does not hold all that the identity does, or could decide with it what he may not.
   * Within `exclusive`, before somebody's credentials are changed or handed out.
   * @throws kms/escalation
   */
  async checkActsAs(by: By, identity: Identity): Promise<void> {
    await this.#access.checkHolds(
      by.principal,
      await this.#access.rulesOfIdentity(identity),
      by.record,
    )
    await this.#guard(identity, by)
  }

  async #commit(by: By, writes: Writes, resource: string): Promise<void> {
    await orConflict(this.#context.journal.commit({ ...writes, audit: [doneBy(by, resource)] }))
  }

  async #checkGroups(
    by: By,
    { project, body }: Identity,
    wanted: readonly string[],
  ): Promise<void> {
    if (wanted.length > MAX_GROUPS) throw new Fault('kms/limit-reached')
    const changed = [
      ...wanted.filter((id) => !body.groups.includes(id)),
      ...body.groups.filter((id) => !wanted.includes(id)),
    ]
    for (const id of changed) {
      const group = await this.#access.groups.get(id)
      // One that is gone can only be left.
      if (group === undefined && wanted.includes(id)) missing()
      if (group === undefined) continue
      if (wanted.includes(id) && project !== EVERYWHERE && group.project !== project)
        throw new Fault('kms/bad-grant', { detail: 'the group belongs to another project' })
      await this.#access.checkHolds(
        by.principal,
        await this.#access.rulesOfGrants(group.body.grants),
        by.record,
      )
    }
    // To join a group of approvers is to be one.
    if (changed.length > 0)
      await this.#guard(
        { id: '', project, name: '', version: 1, body: { ...body, groups: changed } },
        by,
      )
  }

  async #credentials(identity: string): Promise<readonly Credential[]> {
    const kinds: readonly CredentialKind[] = ['token', 'client-secret']
    const lists = await Promise.all(
      kinds.map((kind) =>
        this.#tokens.credentials.list(kind, identity, { limit: MAX_CREDENTIALS }),
      ),
    )
    return lists.flat()
  }
}

/** Of one identity and kind; more are not issued. */
export const MAX_CREDENTIALS = 1000

function missing(): never {
  throw new Fault('kms/not-found')
}
