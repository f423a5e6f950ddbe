/** What rotation needs of the rest: devices and policy, consumers, backups, somebody to tell. */
import type { Clock, Logger, Random } from '@quorate/base'
import type { Timers } from '@quorate/platform'
import type { Backups } from '../backup/backups.ts'
import type { HsmEvents } from '../events.ts'
import type { Notifier } from '../monitoring/notify.ts'
import type { HsmProvider, KeyInfo } from '../provider.ts'
import type { KeyRoles, RoleBinding } from '../roles/bindings.ts'
import type { HsmState } from '../state/store.ts'
import type { RotationConfig } from './config.ts'

/** Depends on the key of a role, and must know the next one before that signs. */
export type RotationConsumer = {
  readonly name: string
  /** Whether it uses the key of that role. */
  uses(role: string): boolean
  /**
   * True once it verifies under `next` as well; asked again later where it does not yet. Asked again also for
   * what it accepted, after a crash.
   */
  accept(role: string, next: RoleBinding, current: RoleBinding): Promise<boolean>
}

/** Another device that holds the keys of roles. */
export type RotationReplica = RotationConsumer & {
  /** Where it holds the key, it holds it no more. */
  destroy(key: Pick<RoleBinding, 'keyId' | 'label' | 'algorithm' | 'publicKey'>): Promise<void>
}

export type RotationDevices = {
  /** The device of that name, for what is done to the keys of `role`. @throws what opening it throws */
  provider(name: string, role: string): Promise<HsmProvider>
  /**
   * Refuses a new key that policy does not allow the role: asked before it is made, and with `key` once it is
   * there. Nothing is refused where it is absent.
   */
  checkNewKey?(role: string, device: string, key?: KeyInfo): void
  /** Whether policy lets keys of the role leave wrapped, as a backup needs; not unless told. */
  mayLeave?(role: string): boolean
}

export type RotationPorts = {
  readonly config: RotationConfig
  readonly roles: KeyRoles
  readonly devices: RotationDevices
  readonly consumers: readonly RotationConsumer[]
  /** Devices that must hold a new key before it signs. That they do is nobody's word that it may come by time. */
  readonly replicas?: readonly RotationReplica[]
  readonly state: HsmState
  readonly clock: Clock
  readonly timers: Timers
  readonly random: Random
  /** The backups of the device of that name; needed where the configuration wants backups. */
  readonly backups?: (device: string) => Promise<Backups>
  readonly notifier?: Notifier
  readonly events?: HsmEvents
  readonly logger?: Logger
}
