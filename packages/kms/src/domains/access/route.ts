/**
 * One entry of the route table of the KMS: what it takes, what it answers, and which permission it
 * needs for which resource. The gate in front of the handlers reads permission and resource from
 * here, so that a handler runs only for who may.
 */
import type { Id } from '@quorate/base'
import type { HttpAnswer, HttpMethod, JsonSchema } from '@quorate/platform'
import type { Action } from './actions.ts'
import type { Connection, Decision, DecisionRecord, Principal, Resource } from './port.ts'

/** What a request brings; each part has been checked against the schema of its route. */
export type RouteInput<
  Params = { readonly [name: string]: string },
  Query = unknown,
  Body = unknown,
> = {
  readonly params: Params
  readonly query: Query
  readonly body: Body
}

type Caller = {
  readonly principal: Principal
  /** Of the `Idempotency-Key` header; always there where the route needs one. */
  readonly idempotencyKey: string | undefined
  header(name: string): string | undefined
}

export type GuardedCall<I extends RouteInput = RouteInput> = I &
  Caller & {
    readonly resource: Resource
    /** Of the route's permission on `resource`; it allows. */
    readonly decision: Decision
    /** The start of the audit record of this call: spread it into the draft. */
    readonly record: DecisionRecord
  }
export type SelfCall<I extends RouteInput = RouteInput> = I & Caller
export type PublicCall<I extends RouteInput = RouteInput> = I & {
  readonly requestId: Id<'req'>
  readonly connection: Connection
  header(name: string): string | undefined
}

type RouteShape = {
  readonly method: HttpMethod
  /** With parameters in braces: `/api/v1/secrets/{id}`. */
  readonly path: string
  /** For the OpenAPI document; unique, camelCase. */
  readonly operationId: string
  readonly summary: string
  readonly params?: JsonSchema
  readonly query?: JsonSchema
  readonly body?: JsonSchema
  /** Of the body; absent where it answers with nothing. */
  readonly answer?: JsonSchema
  /** 200 unless told. */
  readonly status?: 200 | 201 | 202 | 204
  /** Other statuses that are no error, each with the schema of its body; `null` for none. */
  readonly others?: { readonly [status: number]: JsonSchema | null }
  /** Content type of an answer that is text and not JSON. */
  readonly text?: string
  readonly maxBodyBytes?: number
}

/**
 * Write a route as `const getSecret: GuardedRoute<RouteInput<{ id: string }>> = { … }`: the handler then
 * sees the types of its own schemas.
 */
export type GuardedRoute<I extends RouteInput = RouteInput> = RouteShape & {
  readonly permission: Action
  /**
   * What is asked for, from the checked input; `undefined` where it does not exist (404). May read the
   * store to learn where a thing lies, and must not reveal anything by throwing.
   */
  resourceOf(input: I, principal: Principal): Resource | undefined | Promise<Resource | undefined>
  /** Whether the caller must send an `Idempotency-Key`. */
  readonly needsIdempotencyKey?: true
  handle(call: GuardedCall<I>): HttpAnswer | Promise<HttpAnswer>
}

/** A route about the caller himself: any authenticated identity may, so there is nothing to permit. */
export type SelfRoute<I extends RouteInput = RouteInput> = RouteShape & {
  readonly permission: 'self'
  handle(call: SelfCall<I>): HttpAnswer | Promise<HttpAnswer>
}

/** A route that needs no token: health, sign-in, bootstrap. */
export type PublicRoute<I extends RouteInput = RouteInput> = RouteShape & {
  readonly permission: 'public'
  handle(call: PublicCall<I>): HttpAnswer | Promise<HttpAnswer>
}

export type KmsRoute = GuardedRoute | SelfRoute | PublicRoute
