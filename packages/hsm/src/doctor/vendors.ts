/** Checks of single vendors, as far as files and environment of this machine show. */
import { blind, type Check, found, foundIf, together, withFact } from './check.ts'
import { perimeter } from './perimeter.ts'

const yubihsmLog: Check = {
  id: 'D26',
  title: 'Gap in the audit log of the device',
  severity: 'high',
  fix: 'Fetch the log with yubihsm-shell, compare it with the last one, and set force-audit.',
  look: ({ type }) =>
    blind(
      type === 'yubihsm2'
        ? 'PKCS#11 does not reach the log: use yubihsm-shell, get logs'
        : 'only of a YubiHSM 2',
    ),
}

const MIN_CLOUDHSM_SERVERS = 3

const cluster: Check = {
  id: 'D28',
  title: 'Too few HSMs to keep new keys safe',
  severity: 'high',
  fix: 'Run three HSMs in two availability zones, and switch the key availability check on again.',
  look: ({ type, vendor }) =>
    type === 'aws-cloudhsm'
      ? withFact(vendor.cloudHsm, ({ servers, isAvailabilityCheckOff }) => {
          if (isAvailabilityCheckOff)
            return found([
              {
                evidence: 'disable_key_availability_check: a new key may be on one HSM only',
              },
            ])
          return servers >= MIN_CLOUDHSM_SERVERS
            ? found([])
            : blind(`the client is told of ${servers}, and finds the others by itself`)
        })
      : blind('only of AWS CloudHSM'),
}

const loadSharing: Check = {
  id: 'D29',
  title: 'One module does all the work',
  severity: 'medium',
  fix: 'Set CKNFAST_LOADSHARING=1, or CKNFAST_HSM_POOL=1 for keys that modules protect.',
  look: ({ type, vendor }) =>
    type === 'nshield'
      ? withFact(vendor.nshield, ({ isLoadSharing, isPooled }) =>
          foundIf(!isLoadSharing && !isPooled, {
            evidence: 'neither CKNFAST_LOADSHARING nor CKNFAST_HSM_POOL is set',
          }),
        )
      : blind('only of Entrust nShield'),
}

const NON_FIPS_CURVES = ['secp256k1', 'ed25519'] as const

const luna: Check = {
  id: 'D30',
  title: 'Members of the HA group stay lost, or the policy forbids a curve',
  severity: 'medium',
  fix: 'lunacm: hagroup retry -count -1 and hagroup recoverMode -mode activeEnhanced; curves: partition policy 43.',
  look: ({ type, vendor, token }) =>
    type === 'luna' || type === 'luna-cloud'
      ? together(
          withFact(vendor.luna, ({ hasGroup, reconnectAttempts }) =>
            // Where nothing is said the client tries for ever.
            foundIf(hasGroup && reconnectAttempts === 0, {
              evidence: 'reconnAtt = 0: a member that was lost is not taken back',
            }),
          ),
          withFact(token, ({ algorithms }) => {
            const missing = NON_FIPS_CURVES.filter((curve) => !algorithms.includes(curve))
            return foundIf(missing.length > 0, {
              severity: 'info',
              evidence: `no ${missing.join(', no ')}: the partition allows approved curves only`,
            })
          }),
        )
      : blind('only of Thales Luna'),
}

export const VENDOR_CHECKS: readonly Check[] = [yubihsmLog, perimeter, cluster, loadSharing, luna]
