/** The OpenAPI 3.1 document of the KMS, out of the route table: the schemas in it are those that validate. */
import { type ApiAnswer, type OpenApiDocument, openApiDocument } from '@quorate/api'
import { type TSchema, Type } from '@sinclair/typebox'
import type { KmsRoute, SelfRoute } from './domains/access/route.ts'

const PRODUCT_VERSION = '0.1.0'
/** In which requests carry their token. */
const BEARER = 'accessToken'

const WORDS: { readonly [status: number]: string } = {
  200: 'Done.',
  201: 'Made.',
  202: 'Begun, or waiting.',
  204: 'Done; there is nothing to say.',
  503: 'Not now.',
}

const answer = (status: number, schema: object | null | undefined, type?: string): ApiAnswer => ({
  description: WORDS[status] ?? 'Answered.',
  ...(schema !== null &&
    schema !== undefined && {
      content: { schema: schema as TSchema, ...(type !== undefined && { type }) },
    }),
})

function answersOf(route: KmsRoute): { readonly [status: string]: ApiAnswer } {
  const { status = 200, others = {}, text } = route
  const schema = text === undefined ? route.answer : Type.String()
  // What is answered with nothing is answered with 204 (RFC 9110 section 15.3.5).
  const usual = schema === undefined ? 204 : status
  return {
    [usual]: answer(usual, schema, text?.split(';')[0]),
    ...Object.fromEntries(
      Object.entries(others).map(([code, body]) => [code, answer(Number(code), body)]),
    ),
  }
}

const needs = ({ permission }: KmsRoute): string | undefined =>
  permission === 'public'
    ? undefined
    : permission === 'self'
      ? 'Any identity may.'
      : `Needs the permission \`${permission}\`.`

/** Deterministic: the same routes give the same document. */
export const kmsOpenApi = (routes: readonly KmsRoute[]): OpenApiDocument =>
  openApiDocument({
    title: 'Quorate KMS',
    version: PRODUCT_VERSION,
    server: 'http://127.0.0.1:8200',
    unavailable: 'The KMS is sealed, or cannot serve it now.',
    operations: routes.map((route) => ({
      id: route.operationId,
      method: route.method,
      path: route.path,
      summary: route.summary,
      description: needs(route),
      isPublic: route.permission === 'public',
      params: route.params as TSchema | undefined,
      query: route.query as TSchema | undefined,
      body: route.body as TSchema | undefined,
      needsIdempotencyKey: 'needsIdempotencyKey' in route && route.needsIdempotencyKey === true,
      answers: answersOf(route),
    })),
    securitySchemes: {
      [BEARER]: {
        type: 'http',
        scheme: 'bearer',
        description: 'A token of POST /api/v1/auth/…/login, or one that was issued.',
      },
    },
  })

const anything = Type.Record(Type.String(), Type.Unknown())
const documentAnswer = Type.Object(
  {
    openapi: Type.Literal('3.1.0'),
    info: anything,
    servers: Type.Array(anything),
    security: Type.Array(anything),
    paths: anything,
    components: anything,
  },
  { title: 'OpenApiDocument' },
)

/** Serves the document of all routes, itself among them. */
export const openApiRoute = (routes: () => readonly KmsRoute[]): SelfRoute => ({
  method: 'GET',
  path: '/api/v1/openapi.json',
  operationId: 'openApi',
  summary: 'This document',
  permission: 'self',
  answer: documentAnswer,
  handle: () => ({ body: kmsOpenApi(routes()) }),
})
