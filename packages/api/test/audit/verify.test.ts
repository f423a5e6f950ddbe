import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  type AuditInput,
  type AuditItem,
  type AuditReport,
  ChainBuilder,
  type Checkpoint,
  decodeAuditRecord,
  encodeAuditRecord,
  signCheckpoint,
  verifyAudit,
} from '@quorate/api'
import { equalBytes } from '@quorate/base'
import fc from 'fast-check'
import {
  auditEntry,
  auditLog,
  fill,
  id,
  NOW,
  nodeSigner,
  signer,
  verifyEd25519,
} from '../sample.ts'

const LENGTH = 12
const { items, checkpoints } = await auditLog(LENGTH, [4, 8, 12])
const bare = items.map(({ bytes }) => ({ bytes }))

const resolveKey = ({ node, key }: Checkpoint): Uint8Array | undefined =>
  node === id('nod', 1) && equalBytes(key, nodeSigner.publicKey) ? nodeSigner.publicKey : undefined

const check = (
  records: AuditInput['records'],
  signed: AuditInput['checkpoints'] = checkpoints,
  more: Pick<AuditInput, 'after'> = {},
): Promise<AuditReport> =>
  verifyAudit({ records, checkpoints: signed, resolveKey, verify: verifyEd25519, ...more })

/** Problems as `code seq` or `code first-last`. */
const found = ({ problems }: AuditReport): readonly string[] =>
  problems.map(({ code, seq, to }) => `${code} ${seq === to ? seq : `${seq}-${to}`}`)

/** The record with another outcome: sound by itself, with the same number. */
const alter = <T extends AuditItem>(item: T): T => ({
  ...item,
  bytes: encodeAuditRecord({ ...decodeAuditRecord(item.bytes), outcome: 'failed' }),
})

/** `log` with hashes that fit it, as one who can write the store would make them. */
function rehash(log: readonly AuditItem[]): readonly AuditItem[] {
  const chain = new ChainBuilder()
  return log.map(({ bytes }) => {
    const { v: _, seq: __, ...entry } = decodeAuditRecord(bytes)
    const link = chain.append(entry)
    return { bytes: link.bytes, h: link.head.h }
  })
}

const without = <T>(list: readonly T[], ...indices: readonly number[]): readonly T[] =>
  list.filter((_, i) => !indices.includes(i))

const LOGS: readonly (readonly [string, readonly AuditItem[]])[] = [
  ['with stored hashes', items],
  ['of bare records', bare],
]

for (const [kind, log] of LOGS) {
  test(`a sound log ${kind} verifies to its end`, async () => {
    const report = await check(log)
    assert.deepEqual(report.problems, [])
    assert.equal(report.isOk, true)
    assert.deepEqual([report.from, report.to, report.signedTo], [1, LENGTH, LENGTH])
    assert.deepEqual(report.head, { seq: LENGTH, h: items.at(-1)!.h })
  })

  test(`a removed record is named in a log ${kind}`, async () => {
    assert.deepEqual(found(await check(without(log, 4))), ['record-removed 5'])
    assert.deepEqual(found(await check(without(log, 0))), ['record-removed 1'])
    assert.deepEqual(found(await check(without(log, 5, 6))), ['record-removed 6-7'])
  })

  test(`records removed around a checkpoint leave the rest verified in a log ${kind}`, async () => {
    const report = await check(without(log, 6, 7, 8))
    assert.deepEqual(found(report), ['record-removed 7-8', 'record-removed 9'])
    assert.equal(report.signedTo, LENGTH)
  })

  test(`swapped records are named in a log ${kind}`, async () => {
    const swapped = [...log.slice(0, 5), log[6]!, log[5]!, ...log.slice(7)]
    assert.deepEqual(found(await check(swapped)), ['record-reordered 6'])
  })

  test(`an inserted record is named in a log ${kind}`, async () => {
    const twice = [...log.slice(0, 6), alter(log[5]!), ...log.slice(6)]
    assert.deepEqual(found(await check(twice)), ['record-inserted 6'])
  })

  test(`a tail that was cut off is seen in a log ${kind}`, async () => {
    assert.deepEqual(found(await check(log.slice(0, 9))), ['tail-removed 10-12'])
    assert.deepEqual(found(await check(log.slice(0, 4))), ['tail-removed 5-12'])
    assert.deepEqual(found(await check([])), ['tail-removed 1-12'])
  })

  test(`bytes that are no record are named in a log ${kind}`, async () => {
    const broken = log.with(5, { ...log[5]!, bytes: fill(3, 0xff) })
    assert.deepEqual(found(await check(broken)), ['record-malformed 6', 'record-removed 6'])
  })
}

test('an altered record is named exactly where hashes are stored', async () => {
  assert.deepEqual(found(await check(items.with(5, alter(items[5]!)))), ['record-altered 6'])
})

test('an altered record is named by its stretch where they are not', async () => {
  assert.deepEqual(found(await check(bare.with(5, alter(bare[5]!)))), ['record-altered 5-8'])
})

test('alterations with all hashes made to fit are caught by the checkpoint', async () => {
  const forged = rehash(items.with(5, alter(items[5]!)))
  assert.deepEqual(found(await check(forged)).slice(0, 1), ['record-altered 5-8'])
})

test('an inserted record with everything behind it renumbered is caught by the checkpoint', async () => {
  const forged = rehash([...items.slice(0, 6), items[2]!, ...items.slice(6)])
  assert.ok(found(await check(forged)).includes('record-altered 5-8'))
})

test('a removed record with everything behind it renumbered is caught by the checkpoint', async () => {
  const report = await check(rehash(without(items, 5)))
  assert.ok(found(report).includes('record-altered 5-8'))
  assert.ok(found(report).includes('tail-removed 12'))
})

test('any one change anywhere is found', async () => {
  const index = fc.integer({ min: 0, max: LENGTH - 1 })
  const change = fc.oneof(
    fc.record({ kind: fc.constant('alter' as const), at: index, to: index }),
    fc.record({ kind: fc.constant('remove' as const), at: index, to: index }),
    fc.record({ kind: fc.constant('copy' as const), at: index, to: index }),
    fc.record({ kind: fc.constant('move' as const), at: index, to: index }),
  )
  await fc.assert(
    fc.asyncProperty(
      change,
      fc.boolean(),
      fc.boolean(),
      async ({ kind, at, to }, isBare, isRehashed) => {
        const target = items[at]!
        const rest = without<AuditItem>(items, at)
        const changed = {
          alter: items.with(at, alter(target)),
          remove: rest,
          copy: [...items.slice(0, to), target, ...items.slice(to)],
          move: [...rest.slice(0, to), target, ...rest.slice(to)],
        }[kind]
        fc.pre(changed.length !== items.length || changed.some((each, i) => each !== items[i]))
        const written = isRehashed ? rehash(changed) : changed
        const { isOk } = await check(isBare ? written.map(({ bytes }) => ({ bytes })) : written)
        // The last record said once more, made to fit, is a new one that no checkpoint covers yet.
        if (isRehashed && kind === 'copy' && at === LENGTH - 1 && to === LENGTH - 1) return
        assert.equal(isOk, false)
      },
    ),
    { numRuns: 150 },
  )
})

test('records behind the last checkpoint are chained but not signed', async () => {
  const report = await check(items, checkpoints.slice(0, 2))
  assert.equal(report.isOk, true)
  assert.deepEqual([report.to, report.signedTo], [12, 8])
})

test('a forged checkpoint counts for nothing', async () => {
  const forged = { ...checkpoints[1]!, h: fill(32, 1) }
  const report = await check(items, checkpoints.with(1, forged))
  assert.deepEqual(found(report), ['checkpoint-forged 8'])
  assert.equal(report.signedTo, 12)
})

test('a checkpoint of a key that is not trusted counts for nothing', async () => {
  const { v: _, key: __, signature: ___, ...unsigned } = checkpoints[2]!
  const foreign = await signCheckpoint(signer(66), unsigned)
  const report = await check(items, checkpoints.with(2, foreign))
  assert.deepEqual(found(report), ['checkpoint-key-unknown 12'])
  assert.equal(report.signedTo, 8)
})

test('two signed checkpoints of one number that differ are named', async () => {
  const { v: _, key: __, signature: ___, ...unsigned } = checkpoints[1]!
  const other = await signCheckpoint(nodeSigner, { ...unsigned, h: fill(32, 2) })
  const report = await check(items, [...checkpoints.slice(0, 2), other, checkpoints[2]!])
  assert.deepEqual(found(report), ['checkpoint-contradicts 8'])
})

test('checkpoints out of order, and a counter that goes back, are named', async () => {
  const [first, second, third] = checkpoints as readonly [Checkpoint, Checkpoint, Checkpoint]
  assert.deepEqual(found(await check(items, [second, first, third])), ['checkpoint-reordered 4'])
  const { v: _, key: __, signature: ___, ...unsigned } = third
  const back = await signCheckpoint(nodeSigner, { ...unsigned, counter: 1n })
  assert.deepEqual(found(await check(items, [first, second, back])), ['counter-went-back 12'])
})

test('a pruned log goes on from the checkpoint before it, and says where it begins', async () => {
  const report = await check(items.slice(4))
  assert.equal(report.isOk, true)
  assert.deepEqual([report.from, report.to, report.signedTo], [5, 12, 12])
  assert.deepEqual(found(await check(items.slice(5))), ['record-removed 1-5'])
})

test('a page follows the head that the caller knows', async () => {
  const head = { seq: 6, h: items[5]!.h }
  assert.equal((await check(bare.slice(6), checkpoints.slice(1), { after: head })).isOk, true)
  const wrong = await check(bare.slice(6), checkpoints.slice(1), {
    after: { seq: 6, h: fill(32, 9) },
  })
  assert.deepEqual(found(wrong), ['record-altered 7-8'])
  const contradicted = await check(bare.slice(8), checkpoints.slice(1), {
    after: { seq: 8, h: fill(32, 9) },
  })
  assert.deepEqual(found(contradicted), ['checkpoint-contradicts 8'])
})

test('streams are read as they come, not ahead', async () => {
  let pulled = 0
  let seen = 0
  async function* source(): AsyncGenerator<AuditItem> {
    for (const item of items) {
      pulled++
      yield item
      seen++
      assert.equal(pulled, seen)
    }
  }
  async function* signed(): AsyncGenerator<Checkpoint> {
    for (const checkpoint of checkpoints) {
      assert.ok(pulled > checkpoint.seq - 5)
      yield checkpoint
    }
  }
  assert.equal((await check(source(), signed())).isOk, true)
  assert.equal(seen, LENGTH)
})

test('a log that is all wrong ends the report early', async () => {
  function* noise(): Generator<AuditItem> {
    for (;;) yield { bytes: fill(1, 0) }
  }
  const report = await check(noise())
  assert.equal(report.isOk, false)
  assert.equal(report.problems.at(-1)!.code, 'too-many-problems')
  assert.equal(report.problems.length, 1001)
})

test('an empty log without checkpoints is sound and covers nothing', async () => {
  const report = await check([], [])
  assert.deepEqual([report.isOk, report.from, report.to, report.signedTo], [true, 0, 0, 0])
})

test('an entry that cannot be encoded leaves the chain where it was', () => {
  const chain = new ChainBuilder()
  const { head } = chain.append(auditEntry(1))
  assert.throws(() => chain.append({ ...auditEntry(2), action: 'Not An Action' }))
  const many = Array.from({ length: 32 }, (_, i) => ({
    name: `f${i}`,
    kind: 'text' as const,
    value: 'ü'.repeat(256),
  }))
  assert.throws(() => chain.append({ ...auditEntry(2), fields: many }))
  assert.deepEqual(chain.head, head)
  chain.append({ ...auditEntry(2), time: NOW })
  chain.rewind(head)
  assert.deepEqual(chain.head, head)
  assert.throws(() => chain.rewind({ seq: 5, h: fill(32, 0) }))
})
