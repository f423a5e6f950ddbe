/** From a configuration to rotations: a custody of roles, its devices, their backups, and whom to tell. */
import { Fault, type Random } from '@quorate/base'
import { openBlobStore, systemTimers } from '@quorate/platform'
import { audited } from '../audit/audited.ts'
import { Backups } from '../backup/backups.ts'
import { custodyConfigOf } from '../config/custody.ts'
import type { Notifier } from '../monitoring/notify.ts'
import type { HsmProvider, KeyId } from '../provider.ts'
import type { KeyRoles } from '../roles/bindings.ts'
import type { CustodyPorts, RoleCustody } from '../roles/custody.ts'
import { type CustodySource, openRoleCustody } from '../roles/open.ts'
import { type RotationConfig, rotationConfigOf } from './config.ts'
import { custodyDevices } from './custody-devices.ts'
import type { RotationConsumer } from './ports.ts'
import { replicaConsumer } from './replicas.ts'
import { Rotations } from './rotations.ts'

export type RotationsPorts = CustodyPorts & {
  readonly random: Random
  /** Parts of this program that use the keys of roles. */
  readonly consumers?: readonly RotationConsumer[]
  /** Learns which key comes, signs and goes; the log unless told. */
  readonly notifier?: Notifier
}

export type OpenRotations = {
  readonly rotations: Rotations
  readonly custody: RoleCustody
  readonly config: RotationConfig
  /** Ends the rotations after what is under way, and closes the devices. */
  close(): Promise<void>
}

/** @throws hsm/bad-config, and what opening the custody throws */
export async function openRotations(
  source: CustodySource,
  ports: RotationsPorts,
): Promise<OpenRotations> {
  const { device, environment } = source
  const { sections } = device
  const config = rotationConfigOf(sections)
  const custody = await openRoleCustody(source, ports)
  const backups = config.isBackupEnabled ? backupsOf(source, ports, config, custody) : undefined
  const { policy } = custodyConfigOf(sections)
  const { state, clock, random, events, logger, notifier } = ports
  const { timers = systemTimers, consumers = [] } = ports
  const rotations = new Rotations({
    config,
    roles: recordedRoles(custody.bindings, ports),
    devices: custodyDevices(custody, policy, environment, ports),
    consumers,
    replicas: custody.failover
      .status()
      .slots.map(({ name }) =>
        replicaConsumer({ name, provider: () => deviceOf(custody, ports, name) }, backups),
      ),
    state,
    clock,
    timers,
    random,
    ...(backups !== undefined && { backups }),
    ...(notifier !== undefined && { notifier }),
    ...(events !== undefined && { events }),
    ...(logger !== undefined && { logger }),
  })
  return {
    rotations,
    custody,
    config,
    async close() {
      await rotations.stop()
      await custody.close()
    },
  }
}

const deviceOf = async (
  custody: RoleCustody,
  { audit, clock }: RotationsPorts,
  name: string,
): Promise<HsmProvider> =>
  audited(await custody.failover.providerOf(name), audit, {
    clock,
    device: name,
    source: 'rotation',
  })

/** Which key signs for a role changes once that is in the audit log. */
const recordedRoles = (roles: KeyRoles, { audit, clock }: RotationsPorts): KeyRoles => {
  const append = (operation: string, role: string, key: KeyId): Promise<void> =>
    audit.append({ time: clock.now(), operation, role, key, source: 'rotation', result: 'done' })
  return {
    ...roles,
    async rebind(role, next, ...rest) {
      await append('role.rebind', role, next.keyId)
      return roles.rebind(role, next, ...rest)
    },
    async retire(role, key) {
      await append('role.retire', role, key)
      return roles.retire(role, key)
    },
  }
}

/** Backups of each device, opened when they are first asked for. */
function backupsOf(
  { environment, env }: CustodySource,
  ports: RotationsPorts,
  { backupLocation, backupsKept }: RotationConfig,
  custody: RoleCustody,
): (device: string) => Promise<Backups> {
  const { state, clock, random, events, logger } = ports
  return async (device) => {
    if (backupLocation === undefined)
      throw new Fault('hsm/bad-config', { detail: 'rotation.backupLocation is missing' })
    return new Backups({
      provider: await deviceOf(custody, ports, device),
      environment,
      place: await openBlobStore(backupLocation, env),
      state,
      clock,
      random,
      kept: backupsKept,
      device,
      ...(events !== undefined && { events }),
      ...(logger !== undefined && { logger }),
    })
  }
}
