import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Manifest } from '@quorate/threshold'
import type { Participation } from '#src/signer-process/participation.js'
import type { PlanContext } from '#src/signer-process/plan-context.js'
import { Refill, type RefillOptions } from '#src/signer-process/pool/refill.js'

const WANTED = 64

/** A node with one ECDSA wallet, whose sessions end when they are told to. */
class Node {
  free = 0
  signing = 0
  readonly begun: Manifest[] = []
  readonly refill: Refill
  #tick = (): void => undefined
  #end = (): void => undefined

  constructor() {
    const life = { party: 1, epoch: new Uint8Array(16), bootId: new Uint8Array(16) }
    const key = {
      wallet: 'wal_1',
      generation: 0,
      protocol: 'cggmp24',
      suite: 'ecdsa',
      threshold: 2,
    }
    // Only what a refill asks of a node.
    const context = {
      ports: {
        clock: { now: () => 0, monotonic: () => 0 },
        random: { bytes: (length: number) => new Uint8Array(length) },
        timers: {
          every: (_ms: number, tick: () => void) => {
            this.#tick = tick
            return () => undefined
          },
        },
      },
      peers: {
        self: 1,
        present: [1, 2],
        nodes: [1, 2],
        cluster: { cluster: 'clu_1' },
        epochOf: () => life,
        versionOf: () => 1,
      },
      policies: { of: () => ({ hash: new Uint8Array(32) }) },
      pools: {
        wallets: [],
        keepGeneration: () => undefined,
        expire: () => undefined,
        free: () => this.free,
      },
      wallets: { newestGeneration: () => 0, active: () => ({ record: { key } }) },
    }
    const options: RefillOptions = {
      context: context as unknown as PlanContext,
      sizes: { nonces: 0, presignatures: WANTED },
      begin: async (manifest) => {
        this.begun.push(manifest)
        const outcome = new Promise<void>((resolve) => {
          this.#end = resolve
        })
        return { outcome } as unknown as Participation
      },
      signing: () => this.signing,
    }
    this.refill = new Refill(options)
  }

  /** Half a second passes. */
  async tick(): Promise<void> {
    this.#tick()
    await new Promise(setImmediate)
  }

  async endSession(): Promise<void> {
    this.#end()
    await new Promise(setImmediate)
  }
}

test('presignatures wait from the first signatures of a burst on, and are made after it', async () => {
  const node = new Node()
  node.free = WANTED / 4
  node.signing = 4
  node.refill.want('wal_1')
  assert.equal(node.begun.length, 0)
  for (let i = 0; i < 20; i++) await node.tick()
  node.signing = 0
  // A gap of one tick is no end of the burst.
  await node.tick()
  assert.equal(node.begun.length, 0)
  for (let i = 0; i < 10; i++) await node.tick()
  assert.equal(node.begun.length, 1)
  node.signing = 4
  await node.endSession()
  assert.equal(node.begun.length, 1)
})

test('presignatures that are nearly gone wait for nothing', async () => {
  const node = new Node()
  node.free = WANTED / 8 - 1
  node.signing = 4
  node.refill.want('wal_1')
  await node.tick()
  assert.equal(node.begun.length, 1)
  assert.equal(node.begun[0]?.count, 4)
})
