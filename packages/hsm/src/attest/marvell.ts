/**
 * Key attestations of Marvell (Cavium) LiquidSecurity modules, which AWS CloudHSM and Google Cloud HSM are
 * made of: a blob, mostly gzipped, whose last 256 bytes are a signature (RSA, PKCS #1 v1.5, SHA-256) by the
 * partition. Two chains vouch for the partition's key: the manufacturer's (root, card, partition) and the
 * owner's, who runs the module. Only both together show a real module in the right hands.
 *
 * Everything is big-endian (Marvell, "Software Key Attestation", firmware 3):
 *
 *   response   code u32, flags u32, total bytes u32, buffer bytes u32; the buffer ends where the signature begins
 *   buffer     version u16, flags u16, offset of the first key u16, of the second u16
 *   key        handle u32, number of attributes u32, bytes of attributes u32, then each: type u32, length u32, value
 *
 * Variable-time: public inputs only.
 */
import { constants, type KeyObject, verify } from 'node:crypto'
import { gunzipSync } from 'node:zlib'
import { equalBytes, fromUtf8 } from '@quorate/base'
import { type Certificate, parseCertificate, refused, verifyChain } from './certificate.ts'
import { compressedPoint } from './key-info.ts'

export const MAX_BLOB_BYTES: number = 1 << 16
const SIGNATURE_BYTES = 256
const RESPONSE_BYTES = 16
const INFO_BYTES = 8
const KEY_BYTES = 12
const ATTRIBUTE_BYTES = 8
const MAX_ATTRIBUTES = 256
const MAX_CERTIFICATES = 12
/** Attributes and signature were asked for, and the header is signed too. */
const FLAGS = { attributes: 1, signature: 2, noHeader: 4 } as const

const ATTRIBUTE = {
  class: 0x0,
  label: 0x3,
  keyType: 0x100,
  id: 0x102,
  sensitive: 0x103,
  modulus: 0x120,
  extractable: 0x162,
  local: 0x163,
  neverExtractable: 0x164,
  alwaysSensitive: 0x165,
} as const
const CLASS = { public: 2, private: 3 } as const
const KEY_TYPE_EC = 3
const POINT_BYTES = 65

type Attributes = ReadonlyMap<number, Uint8Array>

export type MarvellBlob = {
  readonly signed: Uint8Array
  readonly signature: Uint8Array
  readonly keys: readonly Attributes[]
}

export type MarvellClaims = {
  /** A point: the curve is not told. Compressed, 33 bytes. */
  readonly publicKey: Uint8Array
  readonly label: string
  readonly manufacturer: Certificate
  readonly owner: Certificate
  readonly notAfter: number
}

/** The blob in its parts, which nobody has verified yet. @throws hsm/attestation-invalid */
export function parseMarvellBlob(given: Uint8Array): MarvellBlob {
  const blob = unpacked(given)
  if (blob.length < RESPONSE_BYTES + INFO_BYTES + SIGNATURE_BYTES)
    refused('a blob that is too short')
  const view = new DataView(blob.buffer, blob.byteOffset, blob.byteLength)
  const [code, flags, total, size] = [0, 4, 8, 12].map((at) => view.getUint32(at)) as [
    number,
    number,
    number,
    number,
  ]
  const end = blob.length - SIGNATURE_BYTES
  const wanted = FLAGS.attributes | FLAGS.signature
  if (code !== 0 || (flags & wanted) !== wanted || (flags & FLAGS.noHeader) !== 0)
    refused('a blob that is no whole attestation')
  if (total !== blob.length || size < INFO_BYTES || size > end - RESPONSE_BYTES)
    refused('a blob of another length')
  const buffer = blob.subarray(end - size, end)
  const info = new DataView(buffer.buffer, buffer.byteOffset, buffer.byteLength)
  const [first, second] = [info.getUint16(4), info.getUint16(6)]
  if (first < INFO_BYTES || second <= first) refused('a blob without a pair of keys')
  return {
    signed: blob.subarray(0, end),
    signature: blob.subarray(end),
    keys: [attributesIn(buffer.subarray(first, second)), attributesIn(buffer.subarray(second))],
  }
}

function unpacked(given: Uint8Array): Uint8Array {
  if (given.length > MAX_BLOB_BYTES) return refused('a blob that is too long')
  if (given[0] !== 0x1f || given[1] !== 0x8b) return given
  try {
    // A few kilobytes can hold gigabytes.
    return new Uint8Array(gunzipSync(given, { maxOutputLength: MAX_BLOB_BYTES }))
  } catch (error) {
    return refused('a blob that does not unpack, or to too much', error)
  }
}

function attributesIn(key: Uint8Array): Attributes {
  if (key.length < KEY_BYTES) return refused('a key that ends too early')
  const view = new DataView(key.buffer, key.byteOffset, key.byteLength)
  const [count, size] = [view.getUint32(4), view.getUint32(8)]
  if (count > MAX_ATTRIBUTES || size > key.length - KEY_BYTES)
    return refused('a key that ends too early')
  const end = KEY_BYTES + size
  const attributes = new Map<number, Uint8Array>()
  let at = KEY_BYTES
  for (let i = 0; i < count; i++) {
    if (end - at < ATTRIBUTE_BYTES) return refused('an attribute that ends too early')
    const [type, length] = [view.getUint32(at), view.getUint32(at + 4)]
    at += ATTRIBUTE_BYTES
    if (length > end - at) return refused('an attribute that ends too early')
    if (attributes.has(type)) return refused('a key with one attribute twice')
    attributes.set(type, key.subarray(at, at + length))
    at += length
  }
  return attributes
}

/**
 * What the attestation shows. `certificates` are all that it came with, in any order, both roots included.
 * @throws hsm/attestation-invalid where either chain is missing, where both do not vouch for one and the same
 *   partition, or where the key was not made in the module or can leave it
 */
export function verifyMarvell(
  blob: Uint8Array,
  certificates: readonly Uint8Array[],
  now: number,
  isPinned: (root: Certificate, vouches: 'manufacturer' | 'owner') => boolean,
): MarvellClaims {
  if (certificates.length < 4 || certificates.length > MAX_CERTIFICATES)
    refused('4 to 12 certificates are needed')
  const parsed = parseMarvellBlob(blob)
  const all = certificates.map(parseCertificate)
  const chains = chainsTo(all, now)
  // Of the manufacturer always root, card, partition: what a partition signs is a key, never another partition.
  const made = chains.filter(
    ({ root, chain }) => chain.length === 2 && isPinned(root, 'manufacturer'),
  )
  const owned = chains.filter(({ root }) => isPinned(root, 'owner'))
  for (const { chain: byMaker, root: manufacturer } of made)
    for (const { chain: byOwner, root: owner } of owned) {
      const partition = byMaker[0]!
      const isSamePartition = equalBytes(partition.spki, byOwner[0]!.spki)
      const isSameCard = byOwner.length === 1 || equalBytes(byMaker[1]!.spki, byOwner[1]!.spki)
      if (!isSamePartition || !isSameCard || !isSignedBy(parsed, partition.key)) continue
      const notAfter = Math.min(...[...byMaker, ...byOwner].map((each) => each.notAfter))
      return { ...claimsOf(parsed), manufacturer, owner, notAfter }
    }
  return refused('no partition for which manufacturer and owner vouch has signed it')
}

type Chain = { readonly chain: readonly Certificate[]; readonly root: Certificate }

/** Every chain of one or two certificates under a self-signed one, the partition first. */
function chainsTo(all: readonly Certificate[], now: number): readonly Chain[] {
  const roots = all.filter(({ subject, issuer }) => equalBytes(subject, issuer))
  const others = all.filter((each) => !roots.includes(each))
  const candidates = others.flatMap((leaf) => [
    [leaf],
    ...others.filter((card) => card !== leaf).map((card) => [leaf, card]),
  ])
  return roots.flatMap((root) =>
    candidates.filter((chain) => leadsTo(chain, root, now)).map((chain) => ({ chain, root })),
  )
}

function leadsTo(chain: readonly Certificate[], root: Certificate, now: number): boolean {
  // Names first: signatures cost more.
  const isNamed = chain.every((each, i) => equalBytes(each.issuer, (chain[i + 1] ?? root).subject))
  if (!isNamed) return false
  try {
    // Cards carry no constraints of a CA; that the depth is fixed stands in their place.
    verifyChain(chain, root, { now, needsCa: false })
    return true
  } catch {
    return false
  }
}

const isSignedBy = ({ signed, signature }: MarvellBlob, key: KeyObject): boolean =>
  key.asymmetricKeyType === 'rsa' &&
  verify('sha256', signed, { key, padding: constants.RSA_PKCS1_PADDING }, signature)

function claimsOf({ keys }: MarvellBlob): Pick<MarvellClaims, 'publicKey' | 'label'> {
  const one = (kind: number): Attributes => {
    const [found, ...more] = keys.filter((each) => numberOf(each, ATTRIBUTE.class) === kind)
    return found === undefined || more.length > 0 ? refused('no pair of keys') : found
  }
  const [open, secret] = [one(CLASS.public), one(CLASS.private)]
  for (const each of [open, secret])
    if (numberOf(each, ATTRIBUTE.keyType) !== KEY_TYPE_EC) refused('a key of another kind')
  const must = (attribute: number, value: number, what: string): void => {
    if (numberOf(secret, attribute) !== value) refused(what)
  }
  must(ATTRIBUTE.local, 1, 'a key that was not made in the module')
  must(ATTRIBUTE.extractable, 0, 'a key that can leave the module')
  must(ATTRIBUTE.neverExtractable, 1, 'a key that could leave the module once')
  must(ATTRIBUTE.sensitive, 1, 'a key that the module reveals')
  must(ATTRIBUTE.alwaysSensitive, 1, 'a key that the module revealed once')
  const point = open.get(ATTRIBUTE.modulus)
  if (point?.length !== POINT_BYTES) return refused('no public key')
  for (const attribute of [ATTRIBUTE.modulus, ATTRIBUTE.id]) {
    const [a, b] = [open.get(attribute), secret.get(attribute)]
    if (a !== undefined && b !== undefined && !equalBytes(a, b))
      refused('two keys that are no pair')
  }
  return {
    publicKey: compressedPoint(point),
    label: fromUtf8(secret.get(ATTRIBUTE.label) ?? new Uint8Array())?.replace(/\0+$/, '') ?? '',
  }
}

/** Of one to eight bytes; `undefined` for an attribute that is missing or longer. */
function numberOf(attributes: Attributes, attribute: number): number | undefined {
  const value = attributes.get(attribute)
  if (value === undefined || value.length === 0 || value.length > 8) return undefined
  return value.reduce((sum, byte) => sum * 256 + byte, 0)
}
