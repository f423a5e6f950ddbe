/**
 * Reads along on the wire, before anybody interferes, and reconstructs from signed envelopes alone what
 * every node did. The rules it keeps are those that no fault may break:
 *
 *   one word    a node says one thing in each round of a session
 *   one use     nothing that a node committed to, made ahead or not, is used in two sessions
 */
import assert from 'node:assert/strict'
import { type AcceptedRecord, verifyEpoch } from '@quorate/auth'
import { type Cbor, decodeCbor, isFault, toHex } from '@quorate/base'
import { verifyEd25519 } from '@quorate/enclave'
import { decodeControl, type Parcel, readParcel } from '@quorate/enclave/testing'
import {
  decodeManifest,
  MAX_ENVELOPE_BYTES,
  type Manifest,
  readEnvelope,
  sessionId,
} from '@quorate/threshold'

/** A share that left a node. */
export type Released = { readonly from: number; readonly sid: string; readonly manifest: Manifest }

export class Witness {
  readonly #cluster: AcceptedRecord
  readonly #keys = new Map<string, Uint8Array>()
  readonly #manifests = new Map<string, Manifest>()
  /** Body hashes by sender, session, round and kind. */
  readonly #words = new Map<string, string>()
  /** The session in which a node first showed a commitment, by node and bytes. */
  readonly #commitments = new Map<string, string>()
  /** The session in which a node used something made ahead, by node, its life and the item. */
  readonly #used = new Map<string, string>()
  readonly #released = new Map<string, Released>()
  /** Not looked at yet: a share may leave before the manifest that says what it is. */
  #early: {
    readonly from: number
    readonly sid: string
    readonly round: number
    readonly body: Uint8Array
  }[] = []
  /** Envelopes of nodes of the cluster. */
  seen = 0

  constructor(cluster: AcceptedRecord) {
    this.#cluster = cluster
  }

  get commitments(): number {
    return this.#commitments.size
  }
  /** Things made ahead that were used, counted for each node. */
  get pooledUses(): number {
    return this.#used.size
  }
  /** Every node that gave its share of a signature away, and for which session. */
  get released(): readonly Released[] {
    this.#settleEarly()
    return [...this.#released.values()]
  }
  manifestOf(sid: string): Manifest | undefined {
    return this.#manifests.get(sid)
  }
  /** Sessions of a request, by its hash in hex, that all their signers gave their shares for. */
  completed(request: string): number {
    const shares = new Map<string, number>()
    for (const { sid, manifest } of this.released)
      if (toHex(manifest.request) === request) shares.set(sid, (shares.get(sid) ?? 0) + 1)
    return [...shares].filter(([sid, count]) => count >= this.manifestOf(sid)!.signers.length)
      .length
  }

  /** A node's epoch record, without which its envelopes are nobody's. */
  learn(signed: Uint8Array, now: number): void {
    const { epoch, envelopeKey } = verifyEpoch(signed, {
      cluster: this.#cluster,
      now,
      verify: verifyEd25519,
    })
    this.#keys.set(toHex(epoch), envelopeKey)
  }

  see(frame: Uint8Array): void {
    const read = this.#read(frame)
    if (read?.body === undefined) return
    const { header, body, aside } = read
    this.seen++
    const sid = toHex(header.sid)
    const { from, round, kind } = header
    for (const each of kind === 'control' ? [body] : aside) this.#control(each)
    if (kind === 'control') return
    if (kind !== 'broadcast') return
    const word = `${from}/${sid}/${round}`
    const hash = toHex(header.bodyHash)
    const said = this.#words.get(word) ?? hash
    this.#words.set(word, said)
    assert.equal(said, hash, `node ${from} said two things in round ${round} of ${sid}`)
    this.#early.push({ from, sid, round, body })
  }

  #control(body: Uint8Array): void {
    const control = decodeControl(body)
    if (control.kind !== 'prepare') return
    const manifest = decodeManifest(control.value.manifest)
    this.#manifests.set(toHex(sessionId(manifest)), manifest)
  }

  #read(
    frame: Uint8Array,
  ): (ReturnType<typeof readEnvelope> & { readonly aside: Parcel['said'] }) | undefined {
    const keys = { epochKey: (_: number, epoch: Uint8Array) => this.#keys.get(toHex(epoch)) }
    try {
      const { envelope, said } = readParcel(frame)
      return { ...readEnvelope(envelope, keys, { verify: verifyEd25519 }), aside: said }
    } catch (error) {
      if (isFault(error)) return undefined
      throw error
    }
  }

  /** Points and ciphertexts of a first round: random, so that one seen twice was used twice. */
  #committed(from: number, sid: string, body: Uint8Array): void {
    for (const bytes of longStrings(decodeCbor(body, { maxBytes: MAX_ENVELOPE_BYTES }))) {
      const name = `${from}/${toHex(bytes)}`
      const first = this.#commitments.get(name) ?? sid
      this.#commitments.set(name, first)
      assert.equal(first, sid, `node ${from} committed to the same in two sessions`)
    }
  }

  #settleEarly(): void {
    const early = this.#early
    this.#early = early.filter(({ sid }) => !this.#manifests.has(sid))
    for (const { from, sid, round, body } of early) {
      const manifest = this.#manifests.get(sid)
      const purpose = manifest?.purpose
      if (round === 1 && (purpose === 'sign' || purpose === 'pool'))
        this.#committed(from, sid, body)
      if (manifest?.purpose !== 'sign') continue
      const { pooled, protocol } = manifest
      const isShare = pooled !== undefined || protocol !== 'frost' || round === 2
      if (!isShare) continue
      this.#released.set(`${from}/${sid}`, { from, sid, manifest })
      const life = manifest.signers.find(({ party }) => party === from)
      assert.ok(life !== undefined, `node ${from} is no signer of ${sid}`)
      for (const { session, index } of pooled ?? []) {
        const name: string = `${from}/${toHex(life.bootId)}/${toHex(session)}/${index}`
        const first: string = this.#used.get(name) ?? sid
        this.#used.set(name, first)
        assert.equal(first, sid, `node ${from} used item ${index} of ${toHex(session)} twice`)
      }
    }
  }

  /** Looks at all that has been seen. */
  check(): void {
    this.#settleEarly()
  }
}

/** Byte strings of at least 32 bytes anywhere in a value. */
function longStrings(value: Cbor): readonly Uint8Array[] {
  if (value instanceof Uint8Array) return value.length >= 32 ? [value] : []
  if (Array.isArray(value)) return value.flatMap((each: Cbor) => longStrings(each))
  if (value instanceof Map) return [...value.values()].flatMap((each: Cbor) => longStrings(each))
  return []
}
