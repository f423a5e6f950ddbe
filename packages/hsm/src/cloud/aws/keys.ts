/**
 * How keys of ours are kept in AWS KMS.
 *
 *   alias        alias/PREFIX/ID                          by which a key is found
 *   description  PREFIX:ID:REQUEST:LABEL                  written with the key itself, so that one whose alias
 *                                                         was not made any more is found again
 *   tag          quorate-id = ID                          for policies and bills
 *
 * A key that an administrator gave such an alias is a key of ours too; its description is then its label.
 */
import type { KeyMetadata, KeySpec, KeyUsageType } from '@aws-sdk/client-kms'
import type { KeyAlgorithm, KeyId } from '../../provider.ts'

type Shape = { readonly spec: KeySpec; readonly usage: KeyUsageType }

export const SHAPES: { readonly [A in KeyAlgorithm]: Shape } = {
  ed25519: { spec: 'ECC_NIST_EDWARDS25519', usage: 'SIGN_VERIFY' },
  p256: { spec: 'ECC_NIST_P256', usage: 'SIGN_VERIFY' },
  secp256k1: { spec: 'ECC_SECG_P256K1', usage: 'SIGN_VERIFY' },
  'aes-256': { spec: 'SYMMETRIC_DEFAULT', usage: 'ENCRYPT_DECRYPT' },
  'hmac-sha256': { spec: 'HMAC_256', usage: 'GENERATE_VERIFY_MAC' },
}

export const ALGORITHMS: readonly KeyAlgorithm[] = Object.keys(SHAPES) as KeyAlgorithm[]

/** Where the key was made: others than these are no keys of a module of AWS, or were outside one. */
const HARDWARE_ORIGINS: ReadonlySet<string> = new Set(['AWS_KMS', 'AWS_CLOUDHSM'])

export const algorithmOf = ({ KeySpec, KeyUsage }: KeyMetadata): KeyAlgorithm | undefined =>
  ALGORITHMS.find((each) => SHAPES[each].spec === KeySpec && SHAPES[each].usage === KeyUsage)

/** Whether it can be used now or again; a key that is being destroyed is none any more. */
export const isThere = ({ KeyState }: KeyMetadata): boolean =>
  KeyState !== 'PendingDeletion' && KeyState !== 'PendingReplicaDeletion'

/** Whether it never was outside of a module of AWS. */
export const isHardware = ({ Origin }: KeyMetadata): boolean =>
  Origin !== undefined && HARDWARE_ORIGINS.has(Origin)

export type Described = { readonly id: KeyId; readonly request: string; readonly label: string }

export class Names {
  readonly #prefix: string

  constructor(prefix: string) {
    this.#prefix = prefix
  }

  alias(id: KeyId): string {
    return `alias/${this.#prefix}/${id}`
  }

  /** The id in an alias; `undefined` for aliases of others. */
  idOf(alias: string | undefined): KeyId | undefined {
    const start = `alias/${this.#prefix}/`
    const id = alias?.startsWith(start) === true ? alias.slice(start.length) : ''
    return /^([0-9a-f]{2}){1,32}$/.test(id) ? (id as KeyId) : undefined
  }

  description({ id, request, label }: Described): string {
    return [this.#prefix, id, request, label].join(':')
  }

  /** What a description of ours says; `undefined` for others. */
  described(description: string | undefined): Described | undefined {
    const [, prefix, id, request, label] =
      /^([A-Za-z0-9_-]+):((?:[0-9a-f]{2}){1,32}):([0-9a-f]{32}):(.+)$/su.exec(description ?? '') ??
      []
    if (prefix !== this.#prefix || request === undefined || label === undefined) return undefined
    return { id: id as KeyId, request, label }
  }
}
