/** The one route that works before anybody is enrolled. */
import { type Static, Type } from '@sinclair/typebox'
import type { KmsRoute, PublicRoute, RouteInput } from '../access/route.ts'
import { nameText, shortText, strict } from '../access/schema.ts'
import { identityAnswer, identityJson } from '../identities/json.ts'
import { mintedAnswer, mintedJson } from '../tokens/routes.ts'
import type { BootstrapService } from './service.ts'

const initBody = Type.Object({ secret: shortText(128), name: nameText }, strict)

export function bootstrapRoutes(bootstrap: BootstrapService): readonly KmsRoute[] {
  const init: PublicRoute<RouteInput<Record<never, never>, unknown, Static<typeof initBody>>> = {
    method: 'POST',
    path: '/api/v1/sys/init',
    operationId: 'initialise',
    summary: 'Make the first administrator, with the one-time secret from the data directory',
    permission: 'public',
    body: initBody,
    answer: Type.Object({
      identity: identityAnswer,
      accessToken: Type.String(),
      token: mintedAnswer.properties.token,
      clientId: Type.String(),
      clientSecret: Type.String(),
    }),
    status: 201,
    handle: async ({ body, connection, requestId }) => {
      const { identity, minted, signIn } = await bootstrap.redeem(body.secret, body.name, {
        connection,
        requestId,
      })
      return {
        body: {
          identity: identityJson(identity),
          ...mintedJson(minted),
          clientId: identity.id,
          clientSecret: signIn.text,
        },
      }
    },
  }
  return [init]
}
