/**
 * What can go wrong with a service, the same for all of them: each maps its own answers to these kinds, and one
 * table says what becomes of a kind. Nothing that a service wrote, and nothing that its client attached to an
 * error (requests with credentials in them), goes further than this.
 */
import { Fault, type FaultCode } from '@quorate/base'
import { type DeviceCode, DeviceFault, type Failover } from '../errors.ts'

export type FailureKind =
  /** Asked too often. */
  | 'busy'
  /** A fault of the service, or no answer in time: whether it was done is not known. */
  | 'unavailable'
  /** Not even a connection, so it was not done. */
  | 'unreachable'
  /** A checksum does not hold. */
  | 'corrupted'
  /** It answers, but with something that cannot be. */
  | 'wrong-result'
  /** There are no credentials to ask with. */
  | 'no-credentials'
  /** Not allowed for these credentials. */
  | 'denied'
  /** The key is switched off. */
  | 'disabled'
  /** No such key, or one that is being destroyed. */
  | 'absent'
  | 'exists'
  | 'unsupported'
  /** The account may have no more keys. */
  | 'full'
  | 'rejected'
  | 'cannot-open'

type Outcome = {
  readonly code: DeviceCode | FaultCode
  /** Undefined where no other device is better. */
  readonly failover?: Failover
  readonly isRetried: boolean
  /** Whether it may have been done all the same. */
  readonly isAmbiguous: boolean
  readonly detail?: string
}

const final = (code: Outcome['code'], failover?: Failover, detail?: string): Outcome => ({
  code,
  isRetried: false,
  isAmbiguous: false,
  ...(failover !== undefined && { failover }),
  ...(detail !== undefined && { detail }),
})
const again = (code: DeviceCode, isAmbiguous: boolean, detail: string): Outcome => ({
  code,
  failover: 'same',
  isRetried: true,
  isAmbiguous,
  detail,
})

const OUTCOMES: { readonly [K in FailureKind]: Outcome } = {
  busy: again('hsm/busy', false, 'the service limits how often it is asked'),
  unavailable: again('hsm/unavailable', true, 'the service failed or was silent'),
  unreachable: {
    ...again('hsm/unavailable', false, 'no connection to the service'),
    failover: 'next',
  },
  corrupted: again('hsm/wrong-result', true, 'a checksum does not hold'),
  'wrong-result': final('hsm/wrong-result', 'next'),
  'no-credentials': final('hsm/unavailable', 'next', 'no credentials could be had for the service'),
  denied: final('hsm/forbidden', 'never', 'these credentials may not do this'),
  disabled: final('hsm/forbidden', 'never', 'the key is disabled'),
  absent: final('hsm/key-not-found'),
  exists: final('hsm/key-exists'),
  unsupported: final('hsm/unsupported', 'never'),
  full: final('hsm/device-full', 'never', 'the account may have no more keys'),
  rejected: final('hsm/bad-argument'),
  'cannot-open': final('hsm/cannot-open'),
}

export class ServiceFailure extends Error {
  override readonly name: string = 'ServiceFailure'
  readonly kind: FailureKind

  constructor(kind: FailureKind) {
    super(kind)
    this.kind = kind
  }
}

/** Whether the same request may succeed if it is sent again. */
export const isRetried = (kind: FailureKind): boolean => OUTCOMES[kind].isRetried

/** Whether the request may have been carried out. */
export const isAmbiguous = (kind: FailureKind): boolean => OUTCOMES[kind].isAmbiguous

/** The fault that leaves the provider. */
export function faultOf(kind: FailureKind): Fault {
  const { code, failover, detail } = OUTCOMES[kind]
  const said = detail === undefined ? {} : { detail }
  return failover === undefined
    ? new Fault(code, said)
    : new DeviceFault(code as DeviceCode, { ...said, failover })
}

/** Of network errors of Node those that happen before a request is out. */
const BEFORE_REQUEST: ReadonlySet<string> = new Set([
  'ECONNREFUSED',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'CERT_HAS_EXPIRED',
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'ERR_TLS_CERT_ALTNAME_INVALID',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
])

/** `unreachable` for a connection that was never there, else `undefined`; looks through causes. */
export function networkFailure(error: unknown): 'unreachable' | undefined {
  let each: unknown = error
  for (let depth = 0; depth < 5 && each instanceof Error; depth++) {
    const { code } = each as { readonly code?: unknown }
    if (typeof code === 'string' && BEFORE_REQUEST.has(code)) return 'unreachable'
    const inner: unknown = each instanceof AggregateError ? each.errors[0] : undefined
    each = inner ?? each.cause
  }
  return undefined
}
