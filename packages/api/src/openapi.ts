/** The OpenAPI 3.1 document of a node's HTTP API, generated from the route table. */
import { type ApiAnswer, type OpenApiDocument, openApiDocument } from './openapi-document.ts'
import { EVENT_NAME, ROUTES, type Route, SYNC_MS } from './routes/table.ts'

function answersOf(route: Route): { readonly [status: string]: ApiAnswer } {
  const { answer: schema } = route
  if (route.isStream)
    return {
      200: {
        description: `Server-sent events named \`${EVENT_NAME}\`, the data of each as in the schema. An event named \`problem\` ends the stream.`,
        content: { type: 'text/event-stream', schema },
      },
    }
  return {
    200: { description: 'Done.', content: { schema } },
    ...(route.status === 202 && {
      202: {
        description: `Not done within ${SYNC_MS} ms; ask for the operation, or follow it.`,
        content: { schema },
      },
    }),
  }
}

/** The document for `version` of the product. Deterministic. */
export const openApi = (version: string): OpenApiDocument =>
  openApiDocument({
    title: 'Quorate node',
    version,
    server: 'http://127.0.0.1:7600',
    unavailable: 'The node cannot serve it now.',
    operations: (Object.entries(ROUTES) as readonly [string, Route][]).map(([id, route]) => ({
      id,
      method: route.method,
      path: route.path,
      summary: route.summary,
      description:
        route.permission === undefined
          ? undefined
          : `Needs the permission \`${route.permission}\`.`,
      isPublic: route.permission === undefined,
      params: route.params,
      query: route.query,
      body: route.body,
      needsIdempotencyKey: route.needsIdempotencyKey,
      answers: answersOf(route),
    })),
    securitySchemes: {
      signedRequest: {
        type: 'apiKey',
        in: 'header',
        name: 'authorization',
        description: 'Each HTTP request is signed with the enrolled Ed25519 key of the client.',
      },
      accessToken: {
        type: 'http',
        scheme: 'bearer',
        description:
          'A token that the client signed with its enrolled key, for one host and at most an hour.',
      },
      clientCertificate: {
        type: 'mutualTLS',
        description:
          'On TCP with TLS: a certificate, by whomever issued, of the enrolled Ed25519 key of the client.',
      },
    },
  })
