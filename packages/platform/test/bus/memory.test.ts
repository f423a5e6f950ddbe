import assert from 'node:assert/strict'
import test from 'node:test'
import { utf8 } from '@quorate/base'
import { MemoryNetwork } from '@quorate/platform'
import { busConformance } from './conformance.js'

busConformance('memory', async () => {
  const network = new MemoryNetwork([1, 2, 3])
  return { join: async (index) => network.join(index) }
})

const settled = (): Promise<void> =>
  new Promise((resolve) => setImmediate(() => setImmediate(resolve)))

test('memory: the hook loses, changes and doubles frames; a cut holds them back', async () => {
  const network = new MemoryNetwork([1, 2], {
    onFrame: (from, to, frame) => {
      assert.deepEqual([from, to], [1, 2])
      const text = Buffer.from(frame).toString()
      return text === 'lose' ? [] : text === 'change' ? [utf8('changed')] : [frame, frame]
    },
  })
  const [one, two] = [network.join(1), network.join(2)]
  const seen: string[] = []
  const news: boolean[] = []
  two.onMessage((_from, frame) => seen.push(Buffer.from(frame).toString()))
  two.onPeer((_peer, isConnected) => news.push(isConnected))
  for (const text of ['lose', 'change', 'double']) one.send(2, utf8(text))
  await settled()
  assert.deepEqual(seen, ['changed', 'double', 'double'])
  network.cut(1, 2)
  one.send(2, utf8('change'))
  await settled()
  assert.equal(seen.length, 3)
  assert.deepEqual(one.peers(), [{ peer: 2, isConnected: false, queued: 1 }])
  network.heal(1, 2)
  assert.equal(seen.length, 4)
  assert.deepEqual(news.slice(-2), [false, true])
})
