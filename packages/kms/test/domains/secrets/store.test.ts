import assert from 'node:assert/strict'
import test from 'node:test'
import { newId } from '@quorate/base'
import { type SqlRow, systemRandom } from '@quorate/platform'
import { SecretStore } from '#src/domains/secrets/store.js'
import type { Leaf, Reads } from '#src/storage/port.js'

/** Reads whose index leads to that row whatever is asked for; tells what would have to be the newest. */
function leadingTo(row: SqlRow | undefined): { readonly reads: Reads; readonly leaves: Leaf[] } {
  const leaves: Leaf[] = []
  const reads: Reads = {
    read: async () => (row === undefined ? [] : [row]),
    first: () => row,
    fresh: (read) => read(),
    freshRow({ of, leavesOf }) {
      const result = of(row)
      leaves.push(...leavesOf(result))
      return result
    },
  }
  return { reads, leaves }
}

const secretRow = (): SqlRow & { readonly secret: string } => ({
  secret: newId('sec', 1, systemRandom),
  project: newId('prj', 1, systemRandom),
  folder: newId('fld', 1, systemRandom),
  owner: '',
  version: 1,
  is_deleted: 0,
  change: 'create',
  content_of: 1,
  at: 1,
  actor: 'system',
  label: new Uint8Array(40),
  content: new Uint8Array(40),
})

test('a secret is the one asked for: of another, the one asked for would have to be absent', async () => {
  const row = secretRow()
  const own = leadingTo(row)
  assert.equal((await new SecretStore(own.reads).byId(row.secret))?.head.id, row.secret)
  assert.deepEqual(
    own.leaves.map(({ table, row: name, digest }) => [table, name, digest?.length]),
    [
      ['secret', row.secret, 16],
      ['secret_version', `${row.secret}/1`, 16],
    ],
  )
  const asked = newId('sec', 2, systemRandom)
  for (const found of [row, undefined]) {
    const { reads, leaves } = leadingTo(found)
    await new SecretStore(reads).byId(asked)
    assert.deepEqual(leaves, [{ table: 'secret', row: asked, digest: null }])
  }
})
