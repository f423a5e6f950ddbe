import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { planRestore, type Standing } from '#src/domains/secrets/restore.js'

/** A record as the sequence of its versions: each stores a text, deletes, or repeats an earlier version. */
type Act = { readonly kind: 'store' | 'delete' | 'repeat'; readonly of: number }
const act: fc.Arbitrary<Act> = fc.record({
  kind: fc.constantFrom('store', 'delete', 'repeat'),
  of: fc.nat(9),
})

function history(acts: readonly Act[], destroyed: readonly number[]): readonly Standing[] {
  const all: Standing[] = []
  for (const { kind, of } of acts) {
    const version = all.length + 1
    const living = all.filter(({ isDeleted }) => !isDeleted)
    const source = kind === 'repeat' ? living[of % Math.max(1, living.length)] : undefined
    all.push({
      version,
      contentOf: source?.contentOf ?? version,
      isDeleted: kind === 'delete',
      isDestroyed: false,
    })
  }
  return all.map((each) =>
    destroyed.includes(each.version) && each.version < all.length && !each.isDeleted
      ? { ...each, isDestroyed: true }
      : each,
  )
}

/** What a record is, for whoever looks: its content, or nothing. */
const seen = (standing: Standing | undefined): number | undefined =>
  standing === undefined || standing.isDeleted ? undefined : standing.contentOf

const plan = (now: Standing, then: Standing | undefined) =>
  planRestore([{ id: 'x', now, past: then }])

test('after the changes every record is what it was, unless its content is gone', () => {
  fc.assert(
    fc.property(
      fc.array(act, { minLength: 1, maxLength: 8 }),
      fc.array(fc.nat(9)),
      fc.nat(8),
      (acts, destroyed, moment) => {
        const all = history(acts, destroyed)
        const now = all.at(-1) as Standing
        const then = moment === 0 ? undefined : all[Math.min(moment, all.length) - 1]
        const [change, ...more] = plan(now, then)
        assert.deepEqual(more, [])
        if (change === undefined) {
          assert.equal(seen(now), seen(then))
          return
        }
        assert.equal(change.from, now.version)
        if (change.kind === 'lost') {
          assert.ok(then?.isDestroyed)
          return
        }
        assert.notEqual(seen(now), seen(then))
        const source = all.find(({ version }) => version === change.to)
        const after = change.kind === 'delete' ? undefined : source?.contentOf
        assert.equal(after, seen(then))
        assert.equal(source?.isDestroyed ?? false, false)
        assert.equal(change.kind === 'revive', now.isDeleted)
        // Done twice, it does nothing the second time.
        const next: Standing = {
          version: now.version + 1,
          contentOf: after ?? now.version + 1,
          isDeleted: after === undefined,
          isDestroyed: false,
        }
        assert.deepEqual(plan(next, then), [])
      },
    ),
    { numRuns: 2000 },
  )
})

test('a destroyed content is named, and the record left alone', () => {
  const now: Standing = { version: 3, contentOf: 3, isDeleted: false, isDestroyed: false }
  const then: Standing = { version: 1, contentOf: 1, isDeleted: false, isDestroyed: true }
  assert.deepEqual(plan(now, then), [{ id: 'x', kind: 'lost', from: 3, to: 1 }])
})
