/** Certificates for tests, each part of them as wrong as wanted. */
import { generateKeyPairSync, type KeyObject, sign } from 'node:crypto'
import {
  DER,
  der,
  derBitString,
  derExplicit,
  derOctetString,
  derOid,
  derSequence,
  derTime,
  derTrue,
  derUnsigned,
  derUtf8String,
} from '@quorate/trust'
import { NOW } from '../kit.ts'

export type Keys = { readonly secret: KeyObject; readonly open: KeyObject }

export function newKeys(kind: 'p256' | 'secp256k1' | 'ed25519' | 'rsa' = 'p256'): Keys {
  const pair =
    kind === 'rsa'
      ? generateKeyPairSync('rsa', { modulusLength: 2048 })
      : kind === 'ed25519'
        ? generateKeyPairSync('ed25519')
        : generateKeyPairSync('ec', { namedCurve: kind === 'p256' ? 'P-256' : 'secp256k1' })
  return { secret: pair.privateKey, open: pair.publicKey }
}

export const spkiOf = (key: KeyObject): Uint8Array =>
  new Uint8Array(key.export({ format: 'der', type: 'spki' }))

export type Plan = {
  readonly subject: string
  readonly keys: Keys
  /** Who signs; the subject itself unless given. */
  readonly issuer?: { readonly name: string; readonly keys: Keys }
  readonly isCa?: boolean
  readonly pathLength?: number
  readonly usage?: number
  readonly extensions?: readonly (readonly [oid: string, value: Uint8Array, isCritical?: boolean])[]
  readonly notBefore?: number
  readonly notAfter?: number
}

const DAY = 86_400_000
const nameOf = (text: string): Uint8Array =>
  derSequence(der(DER.set, derSequence(derOid('2.5.4.3'), derUtf8String(text))))

const ALGORITHMS: { readonly [type: string]: Uint8Array } = {
  rsa: derSequence(derOid('1.2.840.113549.1.1.11'), der(DER.null)),
  ec: derSequence(derOid('1.2.840.10045.4.3.2')),
  ed25519: derSequence(derOid('1.3.101.112')),
}

let serial = 1

export function issue(plan: Plan): Uint8Array {
  const { subject, keys, isCa, pathLength, usage, extensions = [] } = plan
  const issuer = plan.issuer ?? { name: subject, keys }
  const type = issuer.keys.secret.asymmetricKeyType ?? ''
  const algorithm = ALGORITHMS[type]!
  const limit = pathLength === undefined ? [] : [derUnsigned(Uint8Array.of(pathLength))]
  const all: (readonly [string, Uint8Array, boolean?])[] = [
    ...(isCa === undefined
      ? []
      : [['2.5.29.19', derSequence(...(isCa ? [derTrue] : []), ...limit), true] as const]),
    ...(usage === undefined
      ? []
      : [['2.5.29.15', derBitString(Uint8Array.of(usage)), true] as const]),
    ...extensions,
  ]
  const tbs = derSequence(
    derExplicit(0, derUnsigned(Uint8Array.of(2))),
    derUnsigned(Uint8Array.of(serial++ % 100 || 1)),
    algorithm,
    nameOf(issuer.name),
    derSequence(derTime(plan.notBefore ?? NOW - DAY), derTime(plan.notAfter ?? NOW + DAY)),
    nameOf(subject),
    spkiOf(keys.open),
    ...(all.length === 0
      ? []
      : [
          derExplicit(
            3,
            derSequence(
              ...all.map(([oid, value, isCritical]) =>
                derSequence(
                  derOid(oid),
                  ...(isCritical === true ? [derTrue] : []),
                  derOctetString(value),
                ),
              ),
            ),
          ),
        ]),
  )
  const signature = sign(type === 'ed25519' ? null : 'sha256', tbs, issuer.keys.secret)
  return derSequence(tbs, algorithm, derBitString(new Uint8Array(signature)))
}

/** A copy with one bit turned. */
export function flipped(bytes: Uint8Array, at: number, bit = 1): Uint8Array {
  const copy = bytes.slice()
  copy[at]! ^= bit
  return copy
}
