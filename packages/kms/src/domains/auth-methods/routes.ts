/** Routes of signing in, and of what an identity signs in with. */
import { type Static, type TSchema, Type } from '@sinclair/typebox'
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
import { identityAnswer, identityJson } from '../identities/json.ts'
import { resourceOfDocument } from '../identities/routes.ts'
import type { IdentityService } from '../identities/service.ts'
import { mintedAnswer, mintedJson } from '../tokens/routes.ts'
import { type ClientSecret, PERSONAL_SECRET_SECONDS } from '../tokens/service.ts'
import { METHOD_NAMES, type MethodName, type MethodSettings } from './model.ts'
import type { SignInService } from './service.ts'
import { METHOD_SCHEMAS } from './settings.ts'

type ById = { readonly id: string }
type Nothing = Record<never, never>
const identityId = Type.Object({ id: idOf('idn') })

/** A year at most: a secret that nobody renews is one that nobody misses. */
const MAX_SECRET_SECONDS = 366 * 86_400

const secretAnswer = Type.Object(
  {
    id: Type.String(),
    description: Type.String(),
    createdAt: Type.String(),
    createdBy: Type.String(),
    expiresAt: Type.String(),
    usesLeft: Type.Union([Type.Integer(), Type.Null()]),
  },
  { title: 'ClientSecret' },
)
const mintedSecretAnswer = Type.Object({ clientSecret: Type.String(), secret: secretAnswer })

export const secretJson = ({ id, expiresAt, usesLeft, body }: ClientSecret) => ({
  id,
  description: body.description,
  createdAt: rfc(body.createdAt),
  createdBy: body.createdBy,
  expiresAt: rfc(expiresAt),
  usesLeft,
})

const newSecret = Type.Object(
  {
    description: Type.Optional(Type.String({ maxLength: 256 })),
    ttlSeconds: Type.Optional(Type.Integer({ minimum: 1, maximum: MAX_SECRET_SECONDS })),
    maxUses: Type.Optional(Type.Integer({ minimum: 0, maximum: 1_000_000 })),
  },
  strict,
)
const currentSecret = Type.Object({ clientSecret: shortText(128) }, strict)

/** What each method's login takes: names of the fields for who and for the proof. */
const LOGINS: {
  readonly [M in MethodName]: {
    readonly body: TSchema
    readonly identity: string
    readonly proof: string | undefined
    readonly summary: string
  }
} = {
  universal: {
    body: Type.Object({ clientId: shortText(64), clientSecret: shortText(128) }, strict),
    identity: 'clientId',
    proof: 'clientSecret',
    summary: 'Sign in with client id and secret',
  },
  kubernetes: {
    body: Type.Object({ identity: shortText(64), jwt: shortText(8192) }, strict),
    identity: 'identity',
    proof: 'jwt',
    summary: 'Sign in with the token of a service account',
  },
  jwt: {
    body: Type.Object({ identity: shortText(64), jwt: shortText(8192) }, strict),
    identity: 'identity',
    proof: 'jwt',
    summary: 'Sign in with a JWT or OpenID Connect token',
  },
  tls: {
    body: Type.Object({ identity: shortText(64) }, strict),
    identity: 'identity',
    proof: undefined,
    summary: 'Sign in with the client certificate of this connection',
  },
}

export function authMethodRoutes(
  access: AccessService,
  identities: IdentityService,
  signIn: SignInService,
): readonly KmsRoute[] {
  const ofIdentity = async ({ params }: RouteInput<ById>) =>
    resourceOfDocument('identity', await access.identities.get(params.id))

  const loginRoute = (method: MethodName): KmsRoute => {
    const { body, identity, proof, summary } = LOGINS[method]
    const route: PublicRoute<RouteInput<Nothing, unknown, { readonly [name: string]: string }>> = {
      method: 'POST',
      path: `/api/v1/auth/${method}/login`,
      operationId: `logInWith${method[0]?.toUpperCase()}${method.slice(1)}`,
      summary,
      permission: 'public',
      body,
      answer: mintedAnswer,
      handle: async (call) => {
        const minted = await signIn.logIn({
          method,
          identity: call.body[identity] ?? '',
          proof: proof === undefined ? '' : (call.body[proof] ?? ''),
          connection: call.connection,
          requestId: call.requestId,
        })
        return { body: mintedJson(minted) }
      },
    }
    return route
  }

  const methodRoutes = (method: MethodName): readonly KmsRoute[] => {
    const path = `/api/v1/identities/{id}/auth-methods/${method}`
    const name = `${method[0]?.toUpperCase()}${method.slice(1)}`
    const get: GuardedRoute<RouteInput<ById>> = {
      method: 'GET',
      path,
      operationId: `get${name}Settings`,
      summary: 'How the identity signs in by this method',
      permission: 'auth-method.read',
      params: identityId,
      answer: Type.Union([METHOD_SCHEMAS[method], Type.Null()]),
      resourceOf: ofIdentity,
      handle: async ({ params, record }) => {
        await access.note(record)
        return { body: (await identities.get(params.id)).body.methods[method] ?? null }
      },
    }
    const put: GuardedRoute<RouteInput<ById, unknown, MethodSettings[MethodName]>> = {
      method: 'PUT',
      path,
      operationId: `set${name}Settings`,
      summary: 'Let the identity sign in by this method',
      permission: 'auth-method.write',
      params: identityId,
      body: METHOD_SCHEMAS[method],
      answer: identityAnswer,
      resourceOf: ofIdentity,
      handle: async ({ params, body, principal, record }) => ({
        body: identityJson(
          await identities.setMethods({ principal, record }, params.id, { [method]: body }),
        ),
      }),
    }
    const remove: GuardedRoute<RouteInput<ById>> = {
      method: 'DELETE',
      path,
      operationId: `remove${name}Settings`,
      summary: 'No longer let the identity sign in by this method',
      permission: 'auth-method.write',
      params: identityId,
      status: 204,
      resourceOf: ofIdentity,
      handle: async ({ params, principal, record }) => {
        await identities.setMethods({ principal, record }, params.id, { [method]: undefined })
        return {}
      },
    }
    return [get, put, remove]
  }

  const createSecret: GuardedRoute<RouteInput<ById, unknown, Static<typeof newSecret>>> = {
    method: 'POST',
    path: '/api/v1/identities/{id}/client-secrets',
    operationId: 'createClientSecret',
    summary: 'Make a client secret; shown once',
    permission: 'auth-method.write',
    params: identityId,
    body: newSecret,
    answer: mintedSecretAnswer,
    status: 201,
    resourceOf: ofIdentity,
    handle: async ({ params, body, principal, record }) => {
      const { description = '', ttlSeconds = PERSONAL_SECRET_SECONDS, maxUses = 0 } = body
      const { text, secret } = await signIn.createSecret({ principal, record }, params.id, {
        description,
        ttlSeconds,
        maxUses,
      })
      return { body: { clientSecret: text, secret: secretJson(secret) } }
    },
  }

  const listSecrets: GuardedRoute<RouteInput<ById, PageQuery>> = {
    method: 'GET',
    path: '/api/v1/identities/{id}/client-secrets',
    operationId: 'listClientSecrets',
    summary: 'Client secrets of an identity, without their texts',
    permission: 'auth-method.read',
    params: identityId,
    query: pageQuery,
    answer: listOf(secretAnswer),
    resourceOf: ofIdentity,
    handle: async ({ params, query, record }) => {
      await access.note(record)
      return {
        body: await pageOf(query, (page) => signIn.listSecrets(params.id, page), secretJson),
      }
    },
  }

  const removeSecret: GuardedRoute<RouteInput<ById & { readonly secretId: string }>> = {
    method: 'DELETE',
    path: '/api/v1/identities/{id}/client-secrets/{secretId}',
    operationId: 'removeClientSecret',
    summary: 'Remove a client secret, at once',
    permission: 'auth-method.write',
    params: Type.Object({ id: idOf('idn'), secretId: idOf('cse') }),
    status: 204,
    resourceOf: ofIdentity,
    handle: async ({ params, principal, record }) => {
      await signIn.removeSecret({ principal, record }, params.id, params.secretId)
      return {}
    },
  }

  const rotateOwn: SelfRoute<RouteInput<Nothing, unknown, Static<typeof currentSecret>>> = {
    method: 'POST',
    path: '/api/v1/self/rotate-secret',
    operationId: 'rotateOwnSecret',
    summary: 'Replace your own sign-in secret; it takes the one you have',
    permission: 'self',
    body: currentSecret,
    answer: mintedSecretAnswer,
    handle: async ({ body, principal }) => {
      const { text, secret } = await signIn.rotateOwn(principal, body.clientSecret)
      return { body: { clientSecret: text, secret: secretJson(secret) } }
    },
  }

  return [
    ...METHOD_NAMES.map(loginRoute),
    ...METHOD_NAMES.flatMap(methodRoutes),
    createSecret,
    listSecrets,
    removeSecret,
    rotateOwn,
  ]
}
