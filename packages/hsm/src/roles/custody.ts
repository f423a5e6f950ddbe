/**
 * The keys of an application by what they are for: one object over devices, policy, bindings, locks, audit
 * and state, from which each role gets its signer. Applications never hold a provider.
 */
import { type Clock, equalBytes, Fault, isFault, type Logger, type Meter } from '@quorate/base'
import type { Timers } from '@quorate/platform'
import { type CustodyPolicy, checkCustodyAllowed, decideCustody } from '@quorate/policy'
import type { HsmAuditRecord, HsmAuditSink } from '../audit/record.ts'
import { generateBackedUpKey } from '../backup/keys.ts'
import type { HsmEnvironment } from '../config/model.ts'
import type { HsmEvents } from '../events.ts'
import { Failover } from '../failover/failover.ts'
import type { FailoverSlot, FallbackSlot } from '../failover/options.ts'
import type { FailoverStatus } from '../failover/record.ts'
import type { OpenedDevice, SlotDevice } from '../failover/slot.ts'
import { SignatureJudge } from '../host/signatures.ts'
import { hasCapability, type KeyInfo, type KeyQuery, type SigningAlgorithm } from '../provider.ts'
import { type CacheFigures, SignatureCache } from '../signing/cache.ts'
import type { HsmState } from '../state/store.ts'
import { type KeyRoles, openKeyRoles, type RoleBinding } from './bindings.ts'
import { KeyPlaces } from './key-places.ts'
import { openRoleLocks, type RoleLocks } from './locks.ts'
import { RoleRates } from './rates.ts'
import { type RoleParts, RoleSigner } from './role-signer.ts'

export type CustodyOptions = {
  /** Names the state of its failover. */
  readonly name: string
  readonly environment: HsmEnvironment
  readonly policy: CustodyPolicy
  /** In order of priority, the emergency device last. */
  readonly devices: readonly FailoverSlot[]
  readonly fallback?: FallbackSlot | undefined
  /** Signatures that are kept; none unless told. */
  readonly cacheSize?: number | undefined
  /** Called once, when it is closed. */
  readonly release?: (() => void) | undefined
}

/** Watches over a device from when it is opened; what is done to it locks signing. */
export type DeviceWatch = {
  add(device: OpenedDevice, name: string, locks: RoleLocks): Promise<void>
}

export type CustodyPorts = {
  readonly clock: Clock
  readonly state: HsmState
  /** Confirms each record, or nothing leaves. */
  readonly audit: HsmAuditSink
  readonly events?: HsmEvents | undefined
  readonly watch?: DeviceWatch | undefined
  readonly logger?: Logger | undefined
  readonly meter?: Meter | undefined
  /** Of the names of metrics; `quorate_` unless told. */
  readonly metricsPrefix?: string | undefined
  /** For tests that turn the clock by hand. */
  readonly timers?: Timers | undefined
}

/** Who asks, for the audit log. */
export type Asking = { readonly user?: string | undefined; readonly source?: string | undefined }

export type NewRoleKey = {
  readonly label: string
  /** That of the policy unless told. */
  readonly algorithm?: SigningAlgorithm | undefined
}

/** Bits of the keys of all our algorithms. */
const KEY_BITS = 256

export class RoleCustody {
  readonly bindings: KeyRoles
  readonly locks: RoleLocks
  readonly failover: Failover
  readonly #options: CustodyOptions
  readonly #ports: CustodyPorts
  readonly #parts: RoleParts

  private constructor(
    options: CustodyOptions,
    ports: CustodyPorts,
    failover: Failover,
    locks: RoleLocks,
  ) {
    const { state, clock, audit } = ports
    const { policy, environment, cacheSize } = options
    this.#options = options
    this.#ports = ports
    this.failover = failover
    this.bindings = openKeyRoles(state)
    this.locks = locks
    this.#parts = {
      policy,
      environment,
      clock,
      audit,
      failover,
      bindings: this.bindings,
      locks: this.locks,
      rates: new RoleRates(state, clock),
      places: new KeyPlaces(),
      judge: new SignatureJudge(),
      cache: cacheSize === undefined ? undefined : new SignatureCache(cacheSize),
    }
  }

  /** Devices are opened when they are first needed. @throws hsm/bad-config, hsm/state-damaged */
  static async open(options: CustodyOptions, ports: CustodyPorts): Promise<RoleCustody> {
    const { name, devices, fallback, policy } = options
    const { watch } = ports
    const locks = openRoleLocks(ports)
    const watched = <D extends SlotDevice & { readonly name: string }>(device: D): D => ({
      ...device,
      open: async () => {
        const opened = await device.open()
        await watch?.add(opened, device.name, locks)
        return opened
      },
    })
    const failover = await Failover.open(
      {
        name,
        slots: devices.map(watched),
        fallback: fallback && watched(fallback),
        emergency: policy.emergency,
      },
      ports,
    )
    try {
      return new RoleCustody(options, ports, failover, locks)
    } catch (error) {
      await failover.close()
      throw error
    }
  }

  /** Signs as the role, with whatever key it has then. @throws policy/role-denied for a role that policy does not have */
  signer(role: string): RoleSigner {
    if (!this.#options.policy.roles.has(role))
      throw new Fault('policy/role-denied', { detail: 'role: The policy has no such role' })
    return new RoleSigner(role, this.#parts)
  }

  get status(): FailoverStatus & { readonly cache: CacheFigures | null } {
    return { ...this.failover.status(), cache: this.#parts.cache?.figures ?? null }
  }

  /**
   * Makes the first key of a role, on the device that policy names, else on the first; one that backups can
   * take where policy lets it leave. A key whose attributes are weaker than policy asks is destroyed.
   * @throws policy/role-denied, hsm/role-bound, hsm/signing-locked, hsm/audit-unavailable, and what the device throws
   */
  async makeKey(role: string, wanted: NewRoleKey, by: Asking = {}): Promise<RoleBinding> {
    const known = this.bindings.find(role)
    if (known !== undefined)
      throw new Fault('hsm/role-bound', { detail: `the role ${role} has ${known.label}` })
    const rules = this.#options.policy.roles.get(role)?.keyGeneration
    const device = this.#deviceCalled(rules?.defaultBackend)
    const key = await this.#recorded('generateKey', role, device, by, async () => {
      this.#checkAllowed(role, 'generate', device)
      const provider = await this.failover.providerOf(device.name)
      const algorithm = wanted.algorithm ?? rules?.curve ?? 'secp256k1'
      const request = { label: wanted.label, algorithm }
      const isWrappable = rules?.extractable === true && hasCapability(provider, 'wrap')
      const made = isWrappable
        ? await generateBackedUpKey(provider, request)
        : await provider.generateKey(request)
      try {
        this.#checkAllowed(role, 'generate', device, made)
      } catch (error) {
        await provider.destroy(made.id, { label: made.label })
        throw error
      }
      return made
    })
    return this.#bind(role, device.name, key)
  }

  /**
   * Binds a key that is there to the role, `expected` being its public key where the caller knows it.
   * @throws policy/role-denied, hsm/key-changed, hsm/role-bound, hsm/key-not-found, hsm/bad-argument for a
   *   key that does not sign, hsm/audit-unavailable
   */
  async bindKey(
    role: string,
    deviceName: string,
    query: KeyQuery,
    by: Asking & { readonly expected?: Uint8Array } = {},
  ): Promise<RoleBinding> {
    const device = this.#deviceCalled(deviceName)
    const { expected, ...asking } = by
    const key = await this.#recorded('role.bind', role, device, asking, async () => {
      this.#checkAllowed(role, 'import', device)
      const found = await (await this.failover.providerOf(device.name)).find(query)
      this.#checkAllowed(role, 'import', device, found)
      const { publicKey } = found
      if (expected !== undefined && (publicKey === undefined || !equalBytes(expected, publicKey)))
        throw new Fault('hsm/key-changed', { detail: `the key ${found.label} of ${device.name}` })
      return found
    })
    return this.#bind(role, device.name, key)
  }

  async close(): Promise<void> {
    await this.failover.close()
    await this.#parts.judge.close()
    this.#options.release?.()
  }

  #deviceCalled(name: string | undefined): FailoverSlot {
    const { devices } = this.#options
    const device = name === undefined ? devices[0] : devices.find((each) => each.name === name)
    if (device !== undefined) return device
    throw new Fault('hsm/bad-config', { detail: `there is no device called ${name}` })
  }

  /** @throws hsm/signing-locked, policy/role-denied */
  #checkAllowed(
    role: string,
    operation: 'generate' | 'import',
    { name, place }: FailoverSlot,
    key?: KeyInfo,
  ): void {
    const { policy, environment } = this.#options
    const reason = this.locks.reasonFor(role)
    if (reason !== undefined) throw new Fault('hsm/signing-locked', { detail: reason })
    checkCustodyAllowed(
      decideCustody(policy, {
        role,
        operation,
        environment,
        device: { place, custody: this.failover.custodyOf(name) },
        ...(key !== undefined && {
          key: { isExtractable: key.isExtractable, isSensitive: key.isSensitive, bits: KEY_BITS },
        }),
      }),
    )
  }

  async #bind(role: string, device: string, key: KeyInfo): Promise<RoleBinding> {
    const { id: keyId, label, algorithm, publicKey } = key
    if (publicKey === undefined || algorithm === 'aes-256' || algorithm === 'hmac-sha256')
      throw new Fault('hsm/bad-argument', { detail: 'a role needs a key that signs' })
    const boundAt = Math.max(0, Math.floor(this.#ports.clock.now()))
    const binding = { provider: device, keyId, label, algorithm, publicKey, boundAt }
    await this.bindings.bind(role, binding)
    return binding
  }

  /** What `act` gives, once that is in the audit log. @throws what it throws, hsm/audit-unavailable */
  async #recorded(
    operation: string,
    role: string,
    { name: device }: FailoverSlot,
    { user, source }: Asking,
    act: () => Promise<KeyInfo>,
  ): Promise<KeyInfo> {
    const { audit, clock } = this.#ports
    const append = (outcome: Pick<HsmAuditRecord, 'result' | 'code' | 'key'>): Promise<void> =>
      audit.append({ time: clock.now(), operation, device, role, user, source, ...outcome })
    let key: KeyInfo
    try {
      key = await act()
    } catch (error) {
      const isRefusal = isFault(error) && error.class === 'Denied'
      const code = isFault(error) ? error.code : 'unknown'
      await confirmed(append({ result: isRefusal ? 'refused' : 'failed', code }))
      throw error
    }
    await confirmed(append({ result: 'done', key: key.id }))
    return key
  }
}

async function confirmed(appending: Promise<void>): Promise<void> {
  try {
    await appending
  } catch (cause) {
    throw new Fault('hsm/audit-unavailable', { cause })
  }
}
