/**
 * The keys of the device: what lies in its slots, joined with what the label index knows of them.
 *
 * A slot that the index does not know is shown all the same, under an id that follows from its public key: keys of
 * other programs, nodes of wallets, and a key whose making ended between the device and the index.
 */
import { concatBytes, equalBytes, Fault, TAGS, taggedHash, toHex, utf8 } from '@quorate/base'
import type { PinnedKey } from '../device.ts'
import {
  type KeyAlgorithm,
  type KeyId,
  type KeyInfo,
  type KeyQuery,
  parseKeyId,
} from '../provider.ts'
import type { ZymbitContext } from './context.ts'
import { isRefusal } from './faults.ts'
import type { LabelIndex } from './label-index.ts'
import { pointOf } from './points.ts'
import { nodeOfSlot, type WalletNode } from './wallet-nodes.ts'

/** Slots below hold keys of the factory and of the device itself. */
const FIRST_USER_SLOT = 16
export const USER_SLOTS = 512
const ID_BYTES = 16

export type SlotKey = {
  readonly slot: number
  readonly id: KeyId
  readonly label: string
  readonly algorithm: KeyAlgorithm
  /** Compressed; of secret keys too. */
  readonly publicKey: Uint8Array
  /** The same as the device exports it. */
  readonly exported: Uint8Array
  readonly createdAt: number
  /** Where it belongs to a wallet. */
  readonly node: WalletNode | undefined
  /** Whether the label index knows it. */
  readonly isIndexed: boolean
}

/** What a slot holds, as far as the device tells. */
type Content = {
  readonly point: { readonly algorithm: 'p256' | 'secp256k1'; readonly publicKey: Uint8Array }
  readonly exported: Uint8Array
}

export class SlotKeys {
  readonly #context: ZymbitContext
  readonly #index: LabelIndex
  readonly #serial: string
  readonly #contents = new Map<number, Content>()
  readonly #nodes = new Map<number, WalletNode | undefined>()
  /** Where keys that the index does not know were last seen. */
  readonly #places = new Map<KeyId, number>()

  constructor(context: ZymbitContext, index: LabelIndex, serial: string) {
    this.#context = context
    this.#index = index
    this.#serial = serial
  }

  /** User slots that are taken. */
  taken(): readonly number[] {
    const slots = this.#context.slots().slots.filter((slot) => slot >= FIRST_USER_SLOT)
    const present = new Set(slots)
    for (const known of [this.#contents, this.#nodes])
      for (const slot of known.keys()) if (!present.has(slot)) known.delete(slot)
    return slots
  }

  all(): readonly SlotKey[] {
    return this.taken().flatMap((slot) => this.at(slot) ?? [])
  }

  /** The key in that slot, if there is one that can be used here. */
  at(slot: number): SlotKey | undefined {
    const content = this.#contentOf(slot)
    if (content === undefined) return undefined
    const { point, exported } = content
    const entry = this.#index
      .keys()
      .find((each) => each.slot === slot && equalBytes(each.publicKey, point.publicKey))
    const node = this.nodeOf(slot)
    const common = { slot, exported, node, publicKey: point.publicKey }
    if (entry !== undefined) return { ...entry, ...common, isIndexed: true }
    return {
      ...common,
      id: this.#idOf(slot, point.publicKey),
      label: node === undefined ? `slot ${slot}` : `${node.wallet} ${node.address}`,
      algorithm: point.algorithm,
      createdAt: 0,
      isIndexed: false,
    }
  }

  /** @throws hsm/key-not-found, hsm/key-ambiguous */
  find(query: KeyQuery): SlotKey {
    const [key, another] = this.#candidates(query).filter(
      ({ id, label }) => (query.id ?? id) === id && (query.label ?? label) === label,
    )
    if (key === undefined) throw new Fault('hsm/key-not-found')
    if (another !== undefined) throw new Fault('hsm/key-ambiguous')
    return key
  }

  /** The very key that the caller knows. `isFresh`: the device is asked again. @throws hsm/key-not-found, hsm/key-changed */
  resolve({ id, algorithm, publicKey }: PinnedKey, isFresh = false): SlotKey {
    const slot = this.#index.keys().find((each) => each.id === id)?.slot ?? this.#places.get(id)
    if (isFresh && slot !== undefined) this.forget(slot)
    // Without the list of all slots, which costs the bus more than a signature.
    const there = slot === undefined ? undefined : this.at(slot)
    const key = there?.id === id ? there : this.find({ id })
    if (key.algorithm !== algorithm) throw new Fault('hsm/key-changed')
    if (publicKey !== undefined && !equalBytes(publicKey, key.publicKey))
      throw new Fault('hsm/key-changed')
    this.#places.set(id, key.slot)
    return key
  }

  /** Node of a wallet in that slot. */
  nodeOf(slot: number): WalletNode | undefined {
    if (!this.#nodes.has(slot)) this.#nodes.set(slot, nodeOfSlot(this.#context, slot))
    return this.#nodes.get(slot)
  }

  /** What was known of a slot may have changed. */
  forget(slot: number): void {
    this.#contents.delete(slot)
    this.#nodes.delete(slot)
  }

  /** An id of a key or wallet that the index does not know. It is the same as long as the device keeps that. */
  idFor(tag: typeof TAGS.hsmZymbitSlot | typeof TAGS.hsmZymbitWallet, body: Uint8Array): KeyId {
    const hash = taggedHash(tag, utf8(`${this.#serial}\0`), body)
    return parseKeyId(toHex(hash.subarray(0, ID_BYTES)))
  }

  /** The keys that can match: all, unless the index knows the one that is asked for. */
  #candidates({ id }: KeyQuery): readonly SlotKey[] {
    const entry = this.#index.keys().find((each) => each.id === id)
    if (entry === undefined) return this.all()
    const key = this.taken().includes(entry.slot) ? this.at(entry.slot) : undefined
    return key === undefined ? [] : [key]
  }

  /** `undefined` for what is no ECDSA key or is not shown; that may change, so it is not remembered. */
  #contentOf(slot: number): Content | undefined {
    const content = this.#contents.get(slot) ?? this.#read(slot)
    if (content !== undefined) this.#contents.set(slot, content)
    return content
  }

  #read(slot: number): Content | undefined {
    try {
      const exported = this.#context.exportPublicKey(slot)
      const point = pointOf(exported)
      return point && { point, exported }
    } catch (error) {
      // Seeds of wallets, and keys whose public key somebody has hidden.
      if (isRefusal(error)) return undefined
      throw error
    }
  }

  #idOf(slot: number, publicKey: Uint8Array): KeyId {
    return this.idFor(
      TAGS.hsmZymbitSlot,
      concatBytes(Uint8Array.of(slot >> 8, slot & 0xff), publicKey),
    )
  }
}

/** What is told of it: the public key of a key pair that stands for a secret key is nobody's business. */
export function infoOf({ id, label, algorithm, publicKey, createdAt }: SlotKey): KeyInfo {
  const isPair = algorithm === 'p256' || algorithm === 'secp256k1'
  return {
    id,
    label,
    algorithm,
    ...(isPair && { publicKey }),
    isExtractable: false,
    isSensitive: true,
    createdAt,
  }
}
