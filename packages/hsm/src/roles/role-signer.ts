/**
 * Signing as a role. Nothing gets by it: policy, rate and lock are asked before, a device that policy
 * allows makes the signature, it must hold under the pinned key, and it leaves only when the audit log has
 * confirmed the record. What is withheld is wiped.
 */
import { equalBytes, Fault, isFault, wipe } from '@quorate/base'
import {
  type CustodyDecision,
  type CustodyFacts,
  type CustodyPolicy,
  checkCustodyAllowed,
  decideCustody,
} from '@quorate/policy'
import type { HsmAuditRecord, HsmAuditSink } from '../audit/record.ts'
import type { HsmEnvironment } from '../config/model.ts'
import { DeviceFault } from '../errors.ts'
import type { Failover } from '../failover/failover.ts'
import { HostedHsm } from '../host/hosted-hsm.ts'
import { checkInput, normalised, PublicKey, type SignatureJudge } from '../host/signatures.ts'
import type { HsmProvider, SignInput, SigningAlgorithm } from '../provider.ts'
import type { SignatureCache } from '../signing/cache.ts'
import { judged } from '../signing/judging.ts'
import type { KeyRoles, RoleBinding } from './bindings.ts'
import type { KeyPlaces } from './key-places.ts'
import type { RoleLocks } from './locks.ts'
import type { RoleRates } from './rates.ts'

/** Who wants a signature, and what policy asks to know of it. */
export type SignRequest = {
  /** For the audit log: whoever was authenticated, and where from. */
  readonly user?: string | undefined
  readonly source?: string | undefined
  /** Of roles with bridge rules; the caller has checked the signatures that it counts. */
  readonly transaction?: CustodyFacts['transaction']
  /** Whether software keys may sign where no device answers, if policy lets the role. */
  readonly wantsFallback?: boolean | undefined
}

type SignRecord = Pick<HsmAuditRecord, 'operation' | 'key'> & {
  /** The last that was asked, once one was. */
  device?: string
}

/** What all roles of one custody share. */
export type RoleParts = {
  readonly policy: CustodyPolicy
  readonly environment: HsmEnvironment
  readonly clock: { now(): number }
  readonly audit: HsmAuditSink
  readonly failover: Failover
  readonly bindings: KeyRoles
  readonly locks: RoleLocks
  readonly rates: RoleRates
  readonly places: KeyPlaces
  readonly judge: SignatureJudge
  readonly cache: SignatureCache | undefined
}

export class RoleSigner {
  readonly role: string
  readonly #parts: RoleParts
  /** The one used last: to parse a key costs as much as to verify a signature. */
  #key: PublicKey | undefined

  constructor(role: string, parts: RoleParts) {
    this.role = role
    this.#parts = parts
  }

  /** @throws hsm/role-unbound */
  get algorithm(): SigningAlgorithm {
    return this.#binding.algorithm
  }

  /** Of the key that signs now: 32 bytes for Ed25519, else 33, compressed. @throws hsm/role-unbound */
  get publicKey(): Uint8Array {
    return this.#binding.publicKey.slice()
  }

  /**
   * 64 bytes in the one form of `HsmProvider.sign`.
   * @throws hsm/role-unbound, hsm/bad-argument, hsm/signing-locked, policy/role-denied, policy/rate-limited,
   *   hsm/key-changed, hsm/audit-unavailable, and what the devices throw
   */
  async sign(input: SignInput, request: SignRequest = {}): Promise<Uint8Array> {
    const binding = this.#binding
    const key = this.#keyOf(binding)
    const record: SignRecord = { operation: 'sign', key: binding.keyId }
    try {
      checkInput(key, input)
      this.#checkAllowed(request)
    } catch (error) {
      await this.#audit({ ...record, result: 'refused', code: codeOf(error) }, request)
      throw error
    }
    let signature: Uint8Array | undefined
    try {
      await this.#parts.rates.count(this.role)
      signature = await this.#parts.failover.run({
        role: this.role,
        decide: (where) => this.#decide(request, where),
        perform: (provider, slot) => {
          record.device = slot
          return this.#signOn(provider, slot, binding, key, input)
        },
        discard: wipe,
        wantsFallback: request.wantsFallback,
      })
      // Whatever locked it meanwhile had a reason.
      this.#checkUnlocked()
    } catch (error) {
      if (signature !== undefined) wipe(signature)
      await this.#audit({ ...record, result: 'failed', code: codeOf(error) }, request)
      throw error
    }
    if (!this.#isAudited) return signature
    try {
      await this.#audit({ ...record, result: 'done' }, request)
    } catch (error) {
      wipe(signature)
      throw error
    }
    return signature
  }

  /** Whether a key of the role that still verifies made the signature. @throws hsm/role-unbound, hsm/bad-argument */
  async verify(input: SignInput, signature: Uint8Array): Promise<boolean> {
    const { bindings, judge } = this.#parts
    const keys = bindings.verifying(this.role)
    if (keys.length === 0) bindings.current(this.role)
    if (signature.length !== 64) return false
    for (const { algorithm, publicKey } of keys) {
      const key = new PublicKey(algorithm, publicKey)
      checkInput(key, input)
      if (await judged(judge, key, input, signature)) return true
    }
    return false
  }

  get #binding(): RoleBinding {
    return this.#parts.bindings.current(this.role)
  }

  #keyOf({ algorithm, publicKey }: RoleBinding): PublicKey {
    const key = this.#key
    if (key?.algorithm === algorithm && equalBytes(key.bytes, publicKey)) return key
    this.#key = new PublicKey(algorithm, publicKey)
    return this.#key
  }

  get #isAudited(): boolean {
    return this.#parts.policy.roles.get(this.role)?.auditAllOperations !== false
  }

  /** Nothing is awaited between the question and the count, so no two share the last place of a rate. */
  #checkAllowed(request: SignRequest): void {
    this.#checkUnlocked()
    const recentSignatures = this.#parts.rates.recent(this.role)
    checkCustodyAllowed(this.#decide(request, { recentSignatures }))
  }

  #checkUnlocked(): void {
    const reason = this.#parts.locks.reasonFor(this.role)
    if (reason !== undefined) throw new Fault('hsm/signing-locked', { detail: reason })
  }

  #decide(request: SignRequest, more: Partial<CustodyFacts>): CustodyDecision {
    const { policy, environment, locks } = this.#parts
    const lockedBecause = locks.reasonFor(this.role)
    const { transaction } = request
    return decideCustody(policy, {
      role: this.role,
      operation: 'sign',
      environment,
      lockedBecause,
      ...(transaction !== undefined && { transaction }),
      ...more,
    })
  }

  async #signOn(
    provider: HsmProvider,
    slot: string,
    binding: RoleBinding,
    key: PublicKey,
    input: SignInput,
  ): Promise<Uint8Array> {
    const { places, cache } = this.#parts
    const id = await places.idOn(provider, slot, binding)
    const make = async (): Promise<Uint8Array> => {
      const signature = normalised(key, await provider.sign(id, input))
      if (signature !== undefined && (await this.#holds(provider, key, input, signature)))
        return signature
      throw new DeviceFault('hsm/wrong-result', { detail: `a signature of ${slot} does not hold` })
    }
    return cache === undefined ? make() : cache.signature(key.algorithm, key.bytes, input, make)
  }

  /** A hosted device has judged its ECDSA signatures already, under the very key that was compared. */
  async #holds(
    provider: HsmProvider,
    key: PublicKey,
    input: SignInput,
    signature: Uint8Array,
  ): Promise<boolean> {
    const isJudged = provider instanceof HostedHsm && key.algorithm !== 'ed25519'
    return isJudged || judged(this.#parts.judge, key, input, signature)
  }

  /** @throws hsm/audit-unavailable */
  async #audit(
    record: SignRecord & Pick<HsmAuditRecord, 'result' | 'code'>,
    { user, source }: SignRequest,
  ): Promise<void> {
    const { audit, clock } = this.#parts
    try {
      await audit.append({ time: clock.now(), role: this.role, user, source, ...record })
    } catch (cause) {
      throw new Fault('hsm/audit-unavailable', { cause })
    }
  }
}

const codeOf = (error: unknown): string => (isFault(error) ? error.code : 'unknown')
