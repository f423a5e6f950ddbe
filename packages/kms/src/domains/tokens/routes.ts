/** Routes of access tokens, and of signing in on a device from another one. */
import { type Static, Type } from '@sinclair/typebox'
import type { GuardedRoute, KmsRoute, PublicRoute, RouteInput, SelfRoute } from '../access/route.ts'
import {
  idOf,
  listOf,
  type PageQuery,
  pageOf,
  pageQuery,
  rfc,
  shortText,
  strict,
} from '../access/schema.ts'
import type { AccessService } from '../access/service.ts'
import type { TokenLimits } from '../auth-methods/model.ts'
import { limitsSchema } from '../auth-methods/settings.ts'
import { resourceOfDocument } from '../identities/routes.ts'
import type { DeviceSignIn } from './device.ts'
import { DEFAULT_LIMITS, type MintedToken, type Token, type TokenService } from './service.ts'
import type { TokenUseCases } from './use-cases.ts'

type ById = { readonly id: string }
type Nothing = Record<never, never>

export const tokenAnswer = Type.Object(
  {
    id: Type.String(),
    identity: Type.String(),
    name: Type.String(),
    method: Type.String(),
    createdAt: Type.String(),
    createdBy: Type.String(),
    expiresAt: Type.String(),
    renewableUntil: Type.String(),
    usesLeft: Type.Union([Type.Integer(), Type.Null()]),
    addresses: Type.Array(Type.String()),
  },
  { title: 'Token' },
)
export const mintedAnswer = Type.Object(
  { accessToken: Type.String(), token: tokenAnswer },
  { title: 'MintedToken' },
)

export const tokenJson = ({ id, identity, expiresAt, usesLeft, body }: Token) => ({
  id,
  identity,
  name: body.name,
  method: body.method,
  createdAt: rfc(body.createdAt),
  createdBy: body.createdBy,
  expiresAt: rfc(expiresAt),
  renewableUntil: rfc(body.renewableUntil),
  usesLeft,
  addresses: body.addresses,
})
export const mintedJson = ({ text, token }: MintedToken) => ({
  accessToken: text,
  token: tokenJson(token),
})

const newToken = Type.Object(
  {
    name: shortText(128),
    limits: Type.Optional(Type.Partial(limitsSchema, { title: 'NewTokenLimits' })),
  },
  strict,
)
type NewToken = { readonly name: string; readonly limits?: Partial<TokenLimits> }

const deviceName = Type.Object({ name: Type.String({ pattern: '^[ -~]{1,64}$' }) }, strict)
const userCode = Type.Object(
  { userCode: Type.String({ pattern: '^[BCDFGHJKLMNPQRSTVWXZ]{8}$' }) },
  strict,
)
const deviceCode = Type.Object({ deviceCode: shortText(128) }, strict)

export function tokenRoutes(
  access: AccessService,
  tokens: TokenService,
  useCases: TokenUseCases,
  devices: DeviceSignIn,
): readonly KmsRoute[] {
  const issue: GuardedRoute<RouteInput<ById, unknown, NewToken>> = {
    method: 'POST',
    path: '/api/v1/identities/{id}/tokens',
    operationId: 'issueToken',
    summary: 'Issue a token to an identity of which you hold all; shown once',
    permission: 'token.create',
    params: Type.Object({ id: idOf('idn') }),
    body: newToken,
    answer: mintedAnswer,
    status: 201,
    resourceOf: async ({ params }) =>
      resourceOfDocument('identity', await access.identities.get(params.id)),
    handle: async ({ params, body, principal, record }) => {
      const limits = { ...DEFAULT_LIMITS, ...body.limits }
      return {
        body: mintedJson(await useCases.issue({ principal, record }, params.id, body.name, limits)),
      }
    },
  }

  const list: GuardedRoute<RouteInput<ById, PageQuery>> = {
    method: 'GET',
    path: '/api/v1/identities/{id}/tokens',
    operationId: 'listTokens',
    summary: 'Tokens of an identity, without their texts',
    permission: 'token.read',
    params: Type.Object({ id: idOf('idn') }),
    query: pageQuery,
    answer: listOf(tokenAnswer),
    resourceOf: async ({ params }) =>
      resourceOfDocument('identity', await access.identities.get(params.id)),
    handle: async ({ params, query, record }) => {
      await access.note(record)
      return { body: await pageOf(query, (page) => useCases.list(params.id, page), tokenJson) }
    },
  }

  const revoke: GuardedRoute<RouteInput<ById>> = {
    method: 'DELETE',
    path: '/api/v1/tokens/{id}',
    operationId: 'revokeToken',
    summary: 'Revoke a token, at once',
    permission: 'token.revoke',
    params: Type.Object({ id: idOf('tok') }),
    status: 204,
    resourceOf: async ({ params }) => {
      const token = await tokens.get(params.id)
      const holder = token && (await access.identities.get(token.identity))
      return (
        token && resourceOfDocument('token', holder && { id: token.id, project: holder.project })
      )
    },
    handle: async ({ params, principal, record }) => {
      await useCases.revoke({ principal, record }, params.id)
      return {}
    },
  }

  const lookUpSelf: SelfRoute = {
    method: 'GET',
    path: '/api/v1/tokens/self',
    operationId: 'getOwnToken',
    summary: 'The token of this request',
    permission: 'self',
    answer: tokenAnswer,
    handle: async ({ principal }) => ({ body: tokenJson(await useCases.own(principal)) }),
  }

  const renewSelf: SelfRoute = {
    method: 'POST',
    path: '/api/v1/tokens/self/renew',
    operationId: 'renewOwnToken',
    summary: 'Begin the life of the token anew, up to its longest',
    permission: 'self',
    answer: tokenAnswer,
    handle: async ({ principal }) => ({ body: tokenJson(await useCases.renewOwn(principal)) }),
  }

  const revokeSelf: SelfRoute = {
    method: 'POST',
    path: '/api/v1/tokens/self/revoke',
    operationId: 'revokeOwnToken',
    summary: 'Sign out: revoke the token of this request',
    permission: 'self',
    status: 204,
    handle: async ({ principal }) => {
      await useCases.revokeOwn(principal)
      return {}
    },
  }

  const beginDevice: PublicRoute<RouteInput<Nothing, unknown, Static<typeof deviceName>>> = {
    method: 'POST',
    path: '/api/v1/auth/device',
    operationId: 'beginDeviceSignIn',
    summary: 'Ask for a token that somebody signed in elsewhere approves',
    permission: 'public',
    body: deviceName,
    answer: Type.Object({
      deviceCode: Type.String(),
      userCode: Type.String(),
      expiresAt: Type.String(),
      intervalSeconds: Type.Integer(),
    }),
    status: 201,
    handle: ({ body, connection }) => {
      const { expiresAt, ...codes } = devices.begin(body.name, connection)
      return { body: { ...codes, expiresAt: rfc(expiresAt), intervalSeconds: 2 } }
    },
  }

  const lookAtDevice: SelfRoute<RouteInput<Nothing, unknown, Static<typeof userCode>>> = {
    method: 'POST',
    path: '/api/v1/auth/device/look',
    operationId: 'lookAtDevice',
    summary: 'What asks under this code, before you approve it',
    permission: 'self',
    body: userCode,
    answer: Type.Object({
      userCode: Type.String(),
      name: Type.String(),
      address: Type.String(),
      requestedAt: Type.String(),
    }),
    handle: ({ body, principal }) => {
      access.admitGuess(principal)
      const { requestedAt, ...device } = devices.look(body.userCode)
      return { body: { ...device, requestedAt: rfc(requestedAt) } }
    },
  }

  const approveDevice: SelfRoute<RouteInput<Nothing, unknown, Static<typeof userCode>>> = {
    method: 'POST',
    path: '/api/v1/auth/device/approve',
    operationId: 'approveDevice',
    summary: 'Give the device a token of your own identity',
    permission: 'self',
    body: userCode,
    status: 204,
    handle: async ({ body, principal }) => {
      access.admitGuess(principal)
      await devices.approve(body.userCode, principal)
      return {}
    },
  }

  const collect: PublicRoute<RouteInput<Nothing, unknown, Static<typeof deviceCode>>> = {
    method: 'POST',
    path: '/api/v1/auth/device/token',
    operationId: 'collectDeviceToken',
    summary: 'The token of an approved device; 202 as long as nobody has approved it',
    permission: 'public',
    body: deviceCode,
    answer: mintedAnswer,
    others: { 202: Type.Object({ state: Type.Literal('waiting') }) },
    handle: async ({ body, requestId }) => {
      const minted = await devices.collect(body.deviceCode, requestId)
      return minted === undefined
        ? { status: 202, body: { state: 'waiting' } }
        : { body: mintedJson(minted) }
    },
  }

  return [
    issue,
    list,
    lookUpSelf,
    revoke,
    renewSelf,
    revokeSelf,
    beginDevice,
    lookAtDevice,
    approveDevice,
    collect,
  ]
}
