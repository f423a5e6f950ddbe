import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Fault, type Logger } from '@quorate/base'
import { ManualTime, MemoryBoard, startDiscovery } from '@quorate/platform'
import { boardConformance } from './conformance.js'

boardConformance('memory board', async (t) => {
  const awake = setInterval(() => undefined, 1_000)
  t.after(() => clearInterval(awake))
  const board = new MemoryBoard()
  return { open: async (self) => board.open(self, 10) }
})

const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

test('discovery goes on through an outage and tells of it once', async () => {
  const time = new ManualTime()
  const events: string[] = []
  const logger: Logger = { log: (_level, event) => void events.push(event), with: () => logger }
  const shared = new MemoryBoard()
  const memory = shared.open(1, 1_000)
  let isAway = true
  let made = 0
  const unlessAway = <T>(work: () => Promise<T>): Promise<T> =>
    isAway ? Promise.reject(new Fault('platform/discovery-unavailable')) : work()
  const discovery = startDiscovery({
    board: {
      ...memory,
      put: (record) => unlessAway(() => memory.put(record)),
      read: () => unlessAway(() => memory.read()),
    },
    makeRecord: async () => Uint8Array.of(++made),
    onRecord: () => undefined,
    timers: time,
    logger,
  })
  const run = async (): Promise<void> => {
    for (let i = 0; i < 20; i++) {
      await settled()
      time.advance(500)
    }
    await settled()
  }
  await run()
  assert.deepEqual(events, ['discovery.failed'])
  isAway = false
  await run()
  assert.deepEqual(events, ['discovery.failed', 'discovery.back'])
  assert.deepEqual(await shared.open(2, 1_000).read(), new Map([[1, Uint8Array.of(made)]]))
  await discovery.close()
  assert.equal(time.pending, 0)
})
