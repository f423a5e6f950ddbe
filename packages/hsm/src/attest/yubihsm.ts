/**
 * Key attestations of a YubiHSM 2: a certificate for each key, signed by the attestation key of the device,
 * whose certificate leads over a sub-CA to Yubico's root. What the device says of the key stands in
 * extensions under 1.3.6.1.4.1.41482.4 (YubiHSM 2 User Guide, Core Concepts, Attestation):
 *
 *   1 firmware, three bytes · 2 serial number · 3 origin · 4 domains · 5 capabilities · 6 object id · 9 label
 *
 * Bits of 3 to 5 count from the end: a BIT STRING in whole bytes is read as one big-endian number.
 * Variable-time: public inputs only.
 */
import { fromUtf8, toHex } from '@quorate/base'
import { DER, DerReader } from '@quorate/trust'
import {
  type Certificate,
  parseCertificate,
  refused,
  refusing,
  verifyChain,
} from './certificate.ts'
import { type AttestedKey, keyOfSpki } from './key-info.ts'

const ARC = '1.3.6.1.4.1.41482.4'
const ORIGIN_GENERATED = 0x01n
const CAN_BE_EXPORTED = 1n << 16n
/** Root, sub-CA, device, key; one more sub-CA would be new, but not wrong. */
const MAX_CERTIFICATES = 5

export type YubiHsmClaims = AttestedKey & {
  /** Serial number of the device. */
  readonly device: string
  readonly firmware: string
  readonly objectId: number
  readonly label: string
  readonly root: Certificate
  readonly notAfter: number
}

/**
 * What the attestation shows: `certificates` is the whole chain, the key's first and the root last.
 * @throws hsm/attestation-invalid where it does not lead to a root that `isPinned`, or where the key was not
 *   made in the device or can leave it
 */
export function verifyYubiHsm(
  certificates: readonly Uint8Array[],
  now: number,
  isPinned: (root: Certificate) => boolean,
): YubiHsmClaims {
  if (certificates.length < 3 || certificates.length > MAX_CERTIFICATES)
    refused('3 to 5 certificates are needed: of the key, of its device, and up to the root')
  const all = certificates.map(parseCertificate)
  const chain = all.slice(0, -1)
  const [leaf, root] = [all[0]!, all.at(-1)!]
  if (!isPinned(root)) refused('a root that is not pinned')
  verifyChain(chain, root, { now, needsCa: true })
  // A key that a user made may sign certificates too, and its owner could have it say anything of others.
  for (const issuer of chain.slice(1))
    for (const claim of [3, 5])
      if (issuer.extension(`${ARC}.${claim}`) !== undefined)
        refused('a certificate that a key signed instead of its device')
  if (claimedBits(leaf, 3, 1) !== ORIGIN_GENERATED) refused('a key that was not made in the device')
  if ((claimedBits(leaf, 5, 8) & CAN_BE_EXPORTED) !== 0n) refused('a key that can leave the device')
  claimedBits(leaf, 4, 2)
  return {
    ...keyOfSpki(leaf.spki),
    device: claimedNumber(leaf, 2),
    firmware: [...claimed(leaf, 1, DER.octetString)].join('.'),
    objectId: Number(claimedNumber(leaf, 6)),
    label: labelOf(leaf),
    root,
    notAfter: Math.min(...chain.map(({ notAfter }) => notAfter)),
  }
}

/** The content of a claim, which every device makes. */
function claimed(leaf: Certificate, claim: number, tag: number): Uint8Array {
  const found = leaf.extension(`${ARC}.${claim}`)
  if (found === undefined) return refused(`a certificate without claim ${claim} of its device`)
  return refusing(`claim ${claim} of a device`, () => {
    const reader = new DerReader(found.value)
    const { content } = reader.read(tag)
    reader.end()
    return content
  })
}

function claimedBits(leaf: Certificate, claim: number, bytes: number): bigint {
  const content = claimed(leaf, claim, DER.bitString)
  if (content.length !== bytes + 1 || content[0] !== 0) return refused(`claim ${claim} of a device`)
  return BigInt(`0x${toHex(content.subarray(1))}`)
}

function claimedNumber(leaf: Certificate, claim: number): string {
  const content = claimed(leaf, claim, DER.integer)
  if (content.length === 0 || content.length > 9 || content[0]! > 0x7f)
    return refused(`claim ${claim} of a device`)
  return BigInt(`0x${toHex(content)}`).toString()
}

function labelOf(leaf: Certificate): string {
  const label = fromUtf8(claimed(leaf, 9, DER.utf8String))
  return label === undefined || label.length > 40 ? refused('the label of a key') : label
}
