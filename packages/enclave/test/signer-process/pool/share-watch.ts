/**
 * Reads along on the wire, and keeps what every node sent from each pooled item: the one thing that must
 * never be said twice.
 */
import assert from 'node:assert/strict'
import { toHex } from '@quorate/base'
import { readParcel, type TestCluster, type Wire } from '@quorate/enclave/testing'
import { decodeManifest, type Manifest, readEnvelope, sessionId } from '@quorate/threshold'
import { decodeControl } from '#src/signer-process/control.js'

const ANY_KEY = { epochKey: () => new Uint8Array(32) }
const BELIEVE = { verify: () => true }

export class ShareWatch {
  readonly #cluster: TestCluster
  readonly #manifests = new Map<string, Manifest>()
  /** Bodies of shares, by sender, its boot, and the item that they are of. */
  readonly #shares = new Map<string, Set<string>>()

  constructor(cluster: TestCluster) {
    this.#cluster = cluster
  }

  /** Manifests that name something pooled. */
  get pooled(): readonly Manifest[] {
    return [...this.#manifests.values()].filter(({ pooled }) => pooled !== undefined)
  }
  /** Items that a share was made of, counted once for each node that made one. */
  get spent(): number {
    return this.#shares.size
  }

  #control(body: Uint8Array): void {
    const control = decodeControl(body)
    if (control.kind !== 'prepare') return
    const manifest = decodeManifest(control.value.manifest)
    this.#manifests.set(toHex(sessionId(manifest)), manifest)
  }

  see({ from, envelope: frame }: Wire): void {
    const { envelope, said } = readParcel(frame)
    for (const each of said) this.#control(each)
    const { header, body } = readEnvelope(envelope, ANY_KEY, BELIEVE)
    if (body === undefined) return
    if (header.kind === 'control') {
      this.#control(body)
      return
    }
    const manifest = this.#manifests.get(toHex(header.sid))
    if (header.kind !== 'broadcast' || manifest?.pooled === undefined) return
    // Burnt on disk before its share was seen by anybody.
    const { disk } = this.#cluster.nodes[from - 1]!
    const isBurnt = disk.burnt.some((sid) => toHex(sid) === toHex(header.sid))
    assert.ok(isBurnt, `node ${from} sent a share of a session that is not burnt`)
    const life = manifest.signers.find(({ party }) => party === from)!
    for (const [i, { session, index }] of manifest.pooled.entries()) {
      const name = `${from}/${toHex(life.bootId)}/${toHex(session)}/${index}`
      const said = this.#shares.get(name) ?? new Set()
      this.#shares.set(name, said.add(`${i}/${toHex(body)}`))
      assert.equal(said.size, 1, `node ${from} made two shares of one item`)
    }
  }
}
