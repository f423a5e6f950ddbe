/** The devices of a custody of roles, for rotation: a new key passes the same policy as the first one did. */
import { type CustodyPolicy, checkCustodyAllowed, decideCustody, type Place } from '@quorate/policy'
import { audited } from '../audit/audited.ts'
import type { HsmEnvironment } from '../config/model.ts'
import type { KeyInfo } from '../provider.ts'
import type { CustodyPorts, RoleCustody } from '../roles/custody.ts'
import type { RotationDevices } from './ports.ts'

/** Bits of the keys of all our algorithms. */
const KEY_BITS = 256

/** `policy`: that of the custody. What is done to keys is in the audit log before it counts. */
export function custodyDevices(
  custody: RoleCustody,
  policy: CustodyPolicy,
  environment: HsmEnvironment,
  { audit, clock }: Pick<CustodyPorts, 'audit' | 'clock'>,
): RotationDevices {
  const decide = (
    role: string,
    device: string,
    key: Pick<KeyInfo, 'isExtractable' | 'isSensitive'> | undefined,
  ): ReturnType<typeof decideCustody> => {
    const lockedBecause = custody.locks.reasonFor(role)
    return decideCustody(policy, {
      role,
      operation: 'generate',
      environment,
      device: { place: placeOf(device), custody: custody.failover.custodyOf(device) },
      ...(lockedBecause !== undefined && { lockedBecause }),
      ...(key !== undefined && {
        key: { isExtractable: key.isExtractable, isSensitive: key.isSensitive, bits: KEY_BITS },
      }),
    })
  }
  return {
    provider: async (name, role) =>
      audited(await custody.failover.providerOf(name), audit, {
        clock,
        device: name,
        role,
        source: 'rotation',
      }),
    checkNewKey: (role, device, key) => checkCustodyAllowed(decide(role, device, key)),
    mayLeave(role) {
      const { provider } = custody.bindings.current(role)
      const wrappable = { isExtractable: true, isSensitive: true }
      return decide(role, provider, wrappable).decision === 'allow'
    },
  }
}

/** By the names that a custody gives its devices. */
function placeOf(device: string): Place {
  if (device === 'emergency') return 'emergency'
  return device.startsWith('secondary') ? 'secondary' : 'primary'
}
