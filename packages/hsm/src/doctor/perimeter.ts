/** D27: what a device that guards itself has noticed. Of those that are reached here only a Zymbit tells. */
import type { ZymbitState } from '../zymbit/commands.ts'
import { type Check, found, foundIf, type Look, together, withFact } from './check.ts'

/** At 2.3 V the device acts, where it is told to. */
const MIN_VOLTS = 2.5
/** Its own limits, unless it was given others. */
const CELSIUS = { min: -10, max: 65 }

export const perimeter: Check = {
  id: 'D27',
  title: 'Tamper, battery or temperature event',
  severity: 'critical',
  fix: 'Look at the device itself before it is used again; then clear the events.',
  look: ({ vendor }) => withFact(vendor.zymbit, zymbitLook),
}

function zymbitLook({
  breaches,
  batteryVolts,
  cpuCelsius,
  isBound,
  isBindingLocked,
}: ZymbitState): Look {
  return together(
    found(
      breaches.flatMap((seconds, channel) =>
        seconds === 0
          ? []
          : [
              {
                evidence: `channel ${channel} of the perimeter was breached at ${new Date(seconds * 1000).toISOString()}`,
              },
            ],
      ),
    ),
    foundIf(batteryVolts !== undefined && batteryVolts < MIN_VOLTS, {
      severity: 'high',
      evidence: `the battery has ${batteryVolts} V: without it nobody guards the perimeter`,
      fix: 'Replace the battery while the device has power.',
    }),
    foundIf(cpuCelsius !== undefined && (cpuCelsius < CELSIUS.min || cpuCelsius > CELSIUS.max), {
      severity: 'medium',
      evidence: `the device is at ${cpuCelsius} °C`,
      fix: `Keep it between ${CELSIUS.min} and ${CELSIUS.max} °C.`,
    }),
    foundIf(!isBound, {
      severity: 'high',
      evidence: 'the device is bound to no machine',
      fix: 'Bind it as its vendor describes, then lock the binding.',
    }),
    foundIf(isBound && !isBindingLocked, {
      severity: 'medium',
      evidence: 'the binding is not locked: the device can be moved to another machine',
      fix: 'Lock the binding once the machine is in its place. That cannot be undone.',
    }),
  )
}
