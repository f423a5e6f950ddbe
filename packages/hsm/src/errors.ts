/** Faults of the device itself, and where to go with the operation that met one. */
import { Fault, type FaultOptions } from '@quorate/base'

/**
 * same   try again on this device, after opening a new session
 * next   this device cannot, another one that holds the key may
 * never  no device may: stop and call an operator
 */
export type Failover = 'same' | 'next' | 'never'

export type DeviceCode =
  | 'hsm/unavailable'
  | 'hsm/object-damaged'
  | 'hsm/compromised'
  | 'hsm/closed'
  | 'hsm/pin-incorrect'
  | 'hsm/pin-final-try'
  | 'hsm/pin-locked'
  | 'hsm/pin-expired'
  | 'hsm/token-absent'
  | 'hsm/unsupported'
  | 'hsm/forbidden'
  | 'hsm/busy'
  | 'hsm/weak-key'
  | 'hsm/library-missing'
  | 'hsm/client-missing'
  | 'hsm/wrong-result'
  | 'hsm/device-full'

const FAILOVER: { readonly [C in DeviceCode]: Failover } = {
  'hsm/unavailable': 'same',
  'hsm/object-damaged': 'next',
  // Its keys may be in other hands: going on elsewhere with them would hide that.
  'hsm/compromised': 'never',
  'hsm/closed': 'never',
  // Every further attempt brings the device nearer to locking or erasing itself.
  'hsm/pin-incorrect': 'never',
  'hsm/pin-final-try': 'never',
  'hsm/pin-locked': 'never',
  'hsm/pin-expired': 'never',
  'hsm/token-absent': 'next',
  'hsm/unsupported': 'never',
  'hsm/forbidden': 'never',
  'hsm/busy': 'same',
  'hsm/weak-key': 'never',
  'hsm/library-missing': 'next',
  'hsm/client-missing': 'next',
  'hsm/wrong-result': 'next',
  // A key made elsewhere would be another one than was asked for.
  'hsm/device-full': 'never',
}

export type DeviceFaultOptions = FaultOptions & {
  /** Instead of the usual one of the code. */
  readonly failover?: Failover
  /** The return value of the PKCS#11 call, where there was one. */
  readonly ckr?: number
}

export class DeviceFault extends Fault {
  override readonly name: string = 'DeviceFault'
  readonly failover: Failover
  readonly ckr: number | undefined

  constructor(code: DeviceCode, options: DeviceFaultOptions = {}) {
    super(code, options)
    this.failover = options.failover ?? FAILOVER[code]
    this.ckr = options.ckr
  }
}

/** Where to go after `error`. Only faults of a device move an operation: wrong arguments and denials never do. */
export const failoverOf = (error: unknown): Failover =>
  error instanceof DeviceFault ? error.failover : 'never'
