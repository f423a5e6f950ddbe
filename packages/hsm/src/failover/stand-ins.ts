/** The limits of what stands in for the devices: the emergency device, and keys in files. */
import { Allowance } from './allowance.ts'
import type { SlotPlace } from './machine.ts'
import type { FailoverOptions, FailoverPorts } from './options.ts'
import { emergencyName, fallbackName } from './record.ts'

export class StandIns {
  readonly emergency: Allowance
  readonly fallback: Allowance
  /** Whether it was told that nothing is left of them. */
  isEmergencyOver = false
  isFallbackOver = false

  /** @throws hsm/state-damaged */
  constructor({ name, emergency, fallback }: FailoverOptions, { state, clock }: FailoverPorts) {
    const { maxTransactions: maxOperations, maxTimeSeconds } = emergency
    const limits = { maxOperations, maxTimeMs: maxTimeSeconds * 1000 }
    this.emergency = Allowance.open(state, emergencyName(name), limits, clock)
    const software = { maxOperations: fallback?.maxOperations ?? 0, maxTimeMs: null }
    this.fallback = Allowance.open(state, fallbackName(name), software, clock)
  }

  /** Puts the emergency where a crash may have left it beside the state. */
  async resume(active: SlotPlace | undefined): Promise<void> {
    if (active === 'emergency') await this.emergency.enter()
    else if (this.emergency.isEntered) await this.emergency.leave()
  }

  /** What goes with a change of the active device. A device that is back ends the need for software keys. */
  async switched(from: SlotPlace | undefined, to: SlotPlace | undefined): Promise<void> {
    if (from === 'emergency') await this.emergency.leave()
    if (to === 'emergency') {
      await this.emergency.enter()
      this.isEmergencyOver = false
    }
    const isBack = (from === undefined || from === 'emergency') && to !== undefined
    const isUpward = isBack || (from === 'secondary' && to === 'primary')
    if (!isUpward || to === 'emergency' || this.fallback.use.used === 0) return
    await this.fallback.renew()
    this.isFallbackOver = false
  }
}
