/** Where the key of a role is on a device: found once, by id or label, and believed only with the pinned public key. */
import { equalBytes, Fault, isFault, toHex } from '@quorate/base'
import type { HsmProvider, KeyId, KeyInfo } from '../provider.ts'
import type { RoleBinding } from './bindings.ts'

export class KeyPlaces {
  /** By id and public key of the binding: a key that was rotated may keep its label. */
  readonly #known = new WeakMap<HsmProvider, Map<string, KeyId>>()

  /**
   * The id of the bound key on this device; another device may know the key by another id.
   * @throws hsm/key-changed where another key answers to its name, hsm/key-not-found, hsm/key-ambiguous
   */
  async idOn(provider: HsmProvider, slot: string, binding: RoleBinding): Promise<KeyId> {
    const name = `${binding.keyId} ${toHex(binding.publicKey)}`
    const known = this.#known.get(provider)?.get(name)
    if (known !== undefined) return known
    const { id, algorithm, publicKey } = await find(provider, binding)
    const isPinned =
      algorithm === binding.algorithm &&
      publicKey !== undefined &&
      equalBytes(publicKey, binding.publicKey)
    if (!isPinned)
      throw new Fault('hsm/key-changed', { detail: `the key ${binding.label} of ${slot}` })
    const ofProvider = this.#known.get(provider) ?? new Map<string, KeyId>()
    this.#known.set(provider, ofProvider.set(name, id))
    return id
  }
}

async function find(provider: HsmProvider, { keyId, label }: RoleBinding): Promise<KeyInfo> {
  try {
    return await provider.find({ id: keyId })
  } catch (error) {
    if (!isFault(error, 'hsm/key-not-found')) throw error
    return provider.find({ label })
  }
}
