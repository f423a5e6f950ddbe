/** Secrets as the API shows them, and as it takes them. */
import { toRfc3339 } from '@quorate/api'
import { Fault, fromBase64, isFault } from '@quorate/base'
import { type TSchema, Type } from '@sinclair/typebox'
import { placeText } from '../folders/place.ts'
import { anyOf, exactly, secretName } from '../folders/schemas.ts'
import {
  type Content,
  MAX_BINARY_BYTES,
  MAX_COMMENT_LENGTH,
  MAX_TAGS,
  MAX_TEXT_BYTES,
  TAG_PATTERN,
  valueOfText,
} from './model.ts'
import type { ReadSecret } from './reading.ts'
import { escapeText, hasReferences, parseTemplate } from './references.ts'
import type { Provenance } from './resolver.ts'
import type { Changed } from './service.ts'

/** What a request says of a secret's content. */
export type ContentBody = {
  readonly secretValue?: string
  /** `utf8` unless told. */
  readonly encoding?: 'utf8' | 'base64'
  /** Nothing in the value is a reference. */
  readonly literal?: boolean
  readonly comment?: string
  readonly tags?: readonly string[]
}

export const contentBody: { readonly [name: string]: TSchema } = {
  // Longest as base64, or as text in which every character takes one UTF-16 unit.
  secretValue: Type.String({ maxLength: Math.ceil(MAX_BINARY_BYTES / 3) * 4 }),
  encoding: Type.Union([Type.Literal('utf8'), Type.Literal('base64')]),
  literal: Type.Boolean(),
  comment: Type.String({ maxLength: MAX_COMMENT_LENGTH }),
  tags: Type.Array(Type.String({ pattern: TAG_PATTERN }), { maxItems: MAX_TAGS }),
}
export const secretType: TSchema = Type.Union([Type.Literal('shared'), Type.Literal('personal')])

/** The content that a request gives; what it leaves out is absent. @throws kms/bad-secret, kms/bad-reference */
export function patchOf(body: ContentBody): Partial<Content> {
  return {
    ...(body.secretValue !== undefined && storedValue(body.secretValue, body)),
    ...(body.comment !== undefined && { comment: body.comment }),
    ...(body.tags !== undefined && { tags: body.tags }),
  }
}

/** The content of a new secret. @throws kms/bad-secret, kms/bad-reference */
export const newContent = (name: string, body: ContentBody): Content => ({
  name,
  comment: '',
  tags: [],
  ...storedValue('', {}),
  ...patchOf(body),
})

function storedValue(
  given: string,
  { encoding = 'utf8', literal = false }: ContentBody,
): Pick<Content, 'value' | 'isBinary'> {
  if (encoding === 'base64') return { value: bytesOf(given), isBinary: true }
  const value = literal ? escapeText(given) : given
  // What could never be read is refused when it is written.
  if (hasReferences(value)) parseTemplate(value)
  return { value: valueOfText(value), isBinary: false }
}

function bytesOf(base64: string): Uint8Array {
  try {
    return fromBase64(base64)
  } catch (cause) {
    if (isFault(cause)) throw new Fault('kms/bad-secret', { detail: 'it is not base64', cause })
    throw cause
  }
}

const provenanceJson = ({ id, name, version, type, place }: Provenance): object => ({
  id,
  secretName: name,
  type,
  version,
  environment: place.environment,
  path: place.path,
})

/** A secret as it was read, with its value where one was asked for. */
export const secretJson = ({
  stored: { head, current },
  label,
  place,
  via,
  references,
  value,
}: ReadSecret): object => ({
  id: head.id,
  secretName: label.name,
  ...(value !== undefined && { secretValue: value.value, encoding: value.encoding }),
  type: head.owner === undefined ? 'shared' : 'personal',
  version: current.version,
  comment: label.comment,
  tags: label.tags,
  project: head.project,
  environment: place.environment,
  path: place.path,
  importedBy: via.map(placeText),
  references: references.map(provenanceJson),
  updatedAt: toRfc3339(current.at),
  updatedBy: current.actor,
})

const text: TSchema = Type.String()
const provenanceAnswer = {
  id: text,
  secretName: text,
  type: secretType,
  version: Type.Integer(),
  environment: text,
  path: text,
}
export const secretAnswer: TSchema = {
  ...Type.Object({
    ...provenanceAnswer,
    secretValue: Type.Optional(Type.String({ maxLength: MAX_TEXT_BYTES * 4 })),
    encoding: Type.Optional(text),
    comment: text,
    tags: Type.Array(text),
    project: text,
    importedBy: Type.Array(text),
    references: Type.Array(Type.Object(provenanceAnswer)),
    updatedAt: text,
    updatedBy: text,
  }),
  title: 'Secret',
}

export type ChangedJson = {
  readonly id: string
  readonly secretName: string
  readonly type: 'shared' | 'personal'
  readonly version: number
  readonly environment: string
  readonly path: string
  readonly updatedAt: string
}
/** What a change answers: everything but the value. */
export const changedJson = ({ id, version, type, name, place, at }: Changed): ChangedJson => ({
  id,
  secretName: name,
  type,
  version,
  environment: place.environment,
  path: place.path,
  updatedAt: toRfc3339(at),
})
export const changedAnswer: TSchema = {
  ...Type.Object({ ...provenanceAnswer, updatedAt: text }),
  title: 'ChangedSecret',
}

/** Body of a new secret without its place. */
export const createBody: { readonly [name: string]: TSchema } = {
  secretName,
  type: Type.Optional(secretType),
  ...Object.fromEntries(
    Object.entries(contentBody).map(([name, schema]) => [
      name,
      name === 'secretValue' ? schema : Type.Optional(schema),
    ]),
  ),
}
export type CreateBody = ContentBody & {
  readonly secretName: string
  readonly secretValue: string
  readonly type?: 'shared' | 'personal'
}
export const patchBody: TSchema = anyOf({ secretName, ...contentBody })
export type PatchBody = ContentBody & { readonly secretName?: string }
export const putBody: TSchema = exactly(
  Object.fromEntries(Object.entries(createBody).filter(([name]) => name !== 'secretName')),
)
