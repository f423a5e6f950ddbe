/** The tables of the secrets, as the jobs that rotate keys and look for rows that were put back walk them. */
import { bug, parseId } from '@quorate/base'
import type { SealedTable } from '../../storage/port.ts'
import { headLeaf, headOf, nameLeaf, versionLeaf, versionOf } from './store.ts'

const nothingSealed = (): never => bug('nothing in this table is sealed')

export const SECRET_SEALED: readonly SealedTable[] = [
  {
    table: 'secret_version',
    key: ['secret', 'version'],
    columns: ['project', 'change', 'content_of', 'at', 'actor'],
    sealed: ['label', 'content'],
    placeOf: (row, column) => ({
      project: String(row['project']),
      table: 'secret_version',
      row: String(row['secret']),
      version: Number(row['version']),
      column,
    }),
    leafOf: (row) => versionLeaf(versionOf(row)),
  },
  {
    table: 'secret',
    key: ['id'],
    columns: ['project', 'folder', 'owner', 'version', 'is_deleted'],
    sealed: [],
    placeOf: nothingSealed,
    leafOf: (row) => headLeaf(headOf({ ...row, secret: row['id'] ?? null })),
  },
  {
    table: 'secret_name',
    key: ['folder', 'owner', 'name'],
    columns: ['secret'],
    sealed: [],
    placeOf: nothingSealed,
    leafOf: (row) =>
      nameLeaf(
        {
          folder: parseId('fld', String(row['folder'])),
          owner: String(row['owner']),
          name: row['name'] as Uint8Array,
        },
        String(row['secret']),
      ),
  },
]
