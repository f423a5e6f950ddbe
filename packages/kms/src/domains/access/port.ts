/**
 * What the other domains see of access: who asks, about what, and the answer. A service asks once
 * per use case with `check`; a list asks for each item with `authorize`, which costs about a
 * microsecond and writes nothing.
 */
import type { AuditEntry } from '@quorate/api'
import type { Id } from '@quorate/base'
import type { HttpConnection, UncheckedRequest } from '@quorate/platform'
import type { Soon } from '../../soon.ts'
import type { Action } from './actions.ts'

export type IdentityKind = 'user' | 'machine'

/** An authenticated identity in one request. Made by `Access.authenticate` only. */
export type Principal = {
  readonly kind: IdentityKind
  readonly id: Id<'idn'>
  readonly name: string
  /** The project that a machine belongs to, and the default of its requests. People have none. */
  readonly project: Id<'prj'> | undefined
  readonly tokenId: Id<'tok'>
  /** Where the request comes from: an IPv4 or IPv6 address, or `local` over the unix socket. */
  readonly address: string
  /** `req_…` of this request. */
  readonly requestId: Id<'req'>
}

export type Resource = {
  /** A word such as `secret`, for the audit record of what has no id yet. */
  readonly kind: string
  readonly id?: string | undefined
  /** Absent: the instance itself. */
  readonly project?: Id<'prj'> | undefined
  /** The slug. Attributes left out although the action has them count as unknown. */
  readonly environment?: string | undefined
  /** Of the folder: `/` or `/a/b`, without a slash at the end. */
  readonly path?: string | undefined
  readonly name?: string | undefined
  readonly tags?: readonly string[] | undefined
}

/** One rule that was looked at. */
export type Reason = {
  /** `role:developer/2:grt_…` or `grant/1:grt_…`: where the rule stands. */
  readonly rule: string
  readonly effect: 'allow' | 'deny'
  readonly matched: boolean
  /** A plain sentence: what matched, or what was missing. */
  readonly because: string
}

export type Decision = {
  readonly allowed: boolean
  /** The rule that decided; absent where no rule allows it. */
  readonly rule: string | undefined
  /** Every rule that names the action, and what it found. Made when it is read. */
  readonly why: readonly Reason[]
}

/** The parts of an audit record that a decision fixes; the use case adds outcome and fields. */
export type DecisionRecord = Pick<
  AuditEntry,
  'actor' | 'action' | 'resource' | 'project' | 'decision' | 'reason' | 'requestId'
>

/** Of the socket itself: its address, and the client certificate of this very TLS connection. */
export type Connection = HttpConnection
export type AccessRequest = Pick<UncheckedRequest, 'id' | 'header' | 'connection'>

export type Access = {
  /**
   * Who asks, by the bearer token of the request.
   * @throws kms/unauthenticated (401, recorded where a token was given), kms/rate-limited (429)
   */
  authenticate(request: AccessRequest): Soon<Principal>
  /** The decision. Writes nothing; for lists and previews. */
  authorize(principal: Principal, action: Action, resource: Resource): Decision
  /**
   * The decision, at once, where it is to allow. A refusal is on disk in the audit log before it is thrown; the
   * permission is for the caller to record together with what it does (`recordOf`).
   * @throws kms/not-permitted (403) with the reason
   */
  check(principal: Principal, action: Action, resource: Resource): Soon<Decision>
  /** The beginning of the audit record of a decision. */
  recordOf(
    principal: Principal,
    action: Action,
    resource: Resource,
    decision: Decision,
  ): DecisionRecord
  /**
   * Whether any grant of the principal reaches into the project (`undefined`: the whole instance). Where none
   * does, what is in it answers 404.
   */
  isMember(principal: Principal, project: Id<'prj'> | undefined): boolean
}
