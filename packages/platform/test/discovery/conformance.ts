/** What every board must do. */
import assert from 'node:assert/strict'
import test, { type TestContext } from 'node:test'
import { utf8 } from '@quorate/base'
import { type Board, type Discovery, startDiscovery, systemTimers } from '@quorate/platform'
import { silent } from '../bus/nats/server.js'

/** The board as one of the nodes 1 to 3 sees it. */
export type BoardFixture = { open(self: number): Promise<Board> }

const text = (bytes: Uint8Array | undefined): string | undefined =>
  bytes && Buffer.from(bytes).toString()

/** Reads until node `index` has the record. */
async function until(board: Board, index: number, expected: string): Promise<void> {
  while (text((await board.read()).get(index)) !== expected);
}

export function boardConformance(
  name: string,
  make: (t: TestContext) => Promise<BoardFixture>,
): void {
  test(`${name}: each finds what the others put, and the newest of it`, async (t) => {
    const fixture = await make(t)
    const boards = [await fixture.open(1), await fixture.open(2), await fixture.open(3)] as const
    t.after(() => Promise.all(boards.map((board) => board.close())))
    await boards[0].put(utf8('one'))
    await boards[1].put(Uint8Array.from({ length: 2000 }, (_, i) => i & 0xff))
    await until(boards[2], 1, 'one')
    const records = await boards[2].read()
    assert.deepEqual(records.get(2)?.subarray(254, 258), Uint8Array.of(254, 255, 0, 1))
    assert.equal(records.get(3), undefined)
    await boards[0].put(utf8('one again'))
    await boards[0].put(utf8('one at last'))
    await until(boards[1], 1, 'one at last')
  })

  test(`${name}: a node that starts again takes its place`, async (t) => {
    const fixture = await make(t)
    const [first, reader] = [await fixture.open(1), await fixture.open(2)]
    await first.put(utf8('first life'))
    await until(reader, 1, 'first life')
    await first.close()
    const second = await fixture.open(1)
    await second.put(utf8('second life'))
    await until(reader, 1, 'second life')
    await Promise.all([second.close(), reader.close()])
  })

  test(`${name}: discovery puts the own record and hands over the others' once each`, async (t) => {
    const fixture = await make(t)
    const seen: string[] = []
    let both: () => void = () => {}
    const done = new Promise<void>((resolve) => {
      both = resolve
    })
    const other = await fixture.open(1)
    await other.put(utf8('A'))
    const start = async (
      self: number,
      onRecord: (record: Uint8Array) => void,
    ): Promise<Discovery> =>
      startDiscovery({
        board: { ...(await fixture.open(self)), pauseMs: 10 },
        makeRecord: async () => utf8(`of ${self}`),
        onRecord,
        timers: systemTimers,
        logger: silent,
      })
    const three = await start(3, () => undefined)
    const two = await start(2, (record) => {
      seen.push(text(record) ?? '')
      if (new Set(seen).size === 2) void other.put(utf8('B'))
      if (new Set(seen).size === 3) both()
    })
    await done
    await Promise.all([two.close(), three.close(), other.close()])
    assert.deepEqual(seen.sort(), ['A', 'B', 'of 3'])
  })
}
