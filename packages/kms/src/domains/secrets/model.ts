/** A secret, its versions, and the bytes that are sealed. */
import {
  array,
  bool,
  bytes,
  decode,
  encode,
  Fault,
  field,
  fromUtf8,
  type Id,
  oneOf,
  record,
  text,
  utf8,
} from '@quorate/base'
import { isSecretName, SECRET_NAME_PATTERN } from '../folders/place.ts'

export type SecretType = 'shared' | 'personal'

export const MAX_TEXT_BYTES: number = 256 * 1024
/** Of a value that is bytes and not text. */
export const MAX_BINARY_BYTES: number = 512 * 1024
export const MAX_COMMENT_LENGTH = 4096
export const MAX_TAGS = 32
const TAG = /^[a-z0-9][a-z0-9._:/-]{0,63}$/
export const TAG_PATTERN: string = TAG.source

/** What a list shows: everything but the value. */
export type Label = {
  readonly name: string
  readonly comment: string
  /** Sorted, each once. */
  readonly tags: readonly string[]
}
export type Content = Label & {
  /** UTF-8 unless `isBinary`. */
  readonly value: Uint8Array
  readonly isBinary: boolean
}

/** What one version did. */
export const CHANGES = ['create', 'update', 'delete', 'rollback', 'restore'] as const
export type ChangeOfSecret = (typeof CHANGES)[number]

/** What is known of a secret without opening anything. */
export type SecretHead = {
  readonly id: Id<'sec'>
  readonly project: Id<'prj'>
  readonly folder: Id<'fld'>
  /** Id of the identity that it overrides the shared one for; `undefined` for the shared one. */
  readonly owner: string | undefined
  /** The newest. */
  readonly version: number
  readonly isDeleted: boolean
}

export type VersionHead = {
  readonly version: number
  readonly change: ChangeOfSecret
  /** The version whose content it repeats; itself where it does not. */
  readonly contentOf: number
  /** Milliseconds since the epoch. */
  readonly at: number
  /** Id of who made it. */
  readonly actor: string
  /** Its value is gone for ever. */
  readonly isDestroyed: boolean
}

const version = field(0, oneOf(1))
const label = {
  name: field(1, text(128, new RegExp(SECRET_NAME_PATTERN))),
  comment: field(2, text(MAX_COMMENT_LENGTH)),
  tags: field(3, array(text(64, TAG), { max: MAX_TAGS })),
}
const labelCodec = record({ version, ...label })
const contentCodec = record({
  version,
  ...label,
  value: field(4, bytes({ max: MAX_BINARY_BYTES })),
  isBinary: field(5, bool),
})
const MAX_SEALED_BYTES = MAX_BINARY_BYTES + 4 * MAX_COMMENT_LENGTH + MAX_TAGS * 128 + 1024

/** The bytes of a label to seal. */
export const encodeLabel = ({ name, comment, tags }: Label): Uint8Array =>
  encode(labelCodec, { version: 1, name, comment, tags })

/** @throws base/malformed, base/not-canonical, base/too-large */
export const decodeLabel = (opened: Uint8Array): Label =>
  decode(labelCodec, opened, { maxBytes: MAX_SEALED_BYTES })

/** The bytes of a content to seal. Treats the value as secret; the caller wipes what comes back. */
export const encodeContent = ({ name, comment, tags, value, isBinary }: Content): Uint8Array =>
  encode(contentCodec, { version: 1, name, comment, tags, value, isBinary })

/** The value in it is a copy. @throws base/malformed, base/not-canonical, base/too-large */
export const decodeContent = (opened: Uint8Array): Content =>
  plainContent(opened) ?? decode(contentCodec, opened, { maxBytes: MAX_SEALED_BYTES })

/** How the content of a text without comment and tags begins, behind its name, and ends. */
const BEGIN = [0xa6, 0x00, 0x01, 0x01]
const BARE = [0x02, 0x60, 0x03, 0x80, 0x04]
const END = [0x05, 0xf4]
const NAME = new RegExp(SECRET_NAME_PATTERN)

const hasAt = (bytes: Uint8Array, at: number, wanted: readonly number[]): boolean =>
  wanted.every((byte, i) => bytes[at + i] === byte)

/** The length that a CBOR head at `at` gives in its canonical form, and where what it counts begins. */
function lengthAt(
  bytes: Uint8Array,
  at: number,
  major: number,
): { readonly length: number; readonly start: number } | undefined {
  const first = bytes[at]! - (major << 5)
  if (first >= 0 && first < 24) return { length: first, start: at + 1 }
  const next = bytes[at + 1]!
  return first === 24 && next >= 24 ? { length: next, start: at + 2 } : undefined
}

/**
 * The content where it is of the commonest kind, a short text without comment and tags, a few times faster
 * than by the codec; `undefined` for any other, which is for the codec to judge.
 */
function plainContent(opened: Uint8Array): Content | undefined {
  if (!hasAt(opened, 0, BEGIN)) return undefined
  const name = lengthAt(opened, BEGIN.length, 3)
  if (name === undefined) return undefined
  const behind = name.start + name.length
  if (!hasAt(opened, behind, BARE)) return undefined
  const value = lengthAt(opened, behind + BARE.length, 2)
  if (value === undefined) return undefined
  const end = value.start + value.length
  if (opened.length !== end + END.length || !hasAt(opened, end, END)) return undefined
  const text = fromUtf8(opened.subarray(name.start, behind))
  return text !== undefined && text.length <= 128 && NAME.test(text)
    ? { name: text, comment: '', tags: [], value: opened.slice(value.start, end), isBinary: false }
    : undefined
}

/** What may be stored: the name checked, the tags sorted and each once, text in NFC. @throws kms/bad-name, kms/bad-secret */
export function checkedContent(content: Content): Content {
  const { name, value, isBinary } = content
  if (!isSecretName(name)) throw new Fault('kms/bad-name')
  const comment = content.comment.normalize('NFC')
  if (comment.length > MAX_COMMENT_LENGTH || fromUtf8(utf8(comment)) !== comment)
    refuse(`a comment has at most ${MAX_COMMENT_LENGTH} characters`)
  const tags = [...new Set(content.tags)].sort()
  if (tags.length > MAX_TAGS || !tags.every((tag) => TAG.test(tag)))
    refuse(`at most ${MAX_TAGS} tags, of lower-case letters, digits and . _ : / -`)
  const limit = isBinary ? MAX_BINARY_BYTES : MAX_TEXT_BYTES
  if (value.length > limit) refuse(`the value has at most ${limit} bytes`)
  return { name, comment, tags, value, isBinary }
}

/** The bytes of a value that is text. @throws kms/bad-secret where UTF-8 cannot hold it */
export function valueOfText(value: string): Uint8Array {
  const encoded = utf8(value)
  if (fromUtf8(encoded) !== value) refuse('the value is not well-formed text')
  return encoded
}

/** The text of a value, `undefined` where it is bytes. */
export const textOf = ({ value, isBinary }: Content): string | undefined =>
  isBinary ? undefined : fromUtf8(value)

function refuse(detail: string): never {
  throw new Fault('kms/bad-secret', { detail })
}
