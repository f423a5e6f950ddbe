/** The cluster records in the store of a node that does not run. */
import { join } from 'node:path'
import { MIGRATIONS, Store } from '@quorate/node/testing'
import { openSql, systemClock, systemRandom } from '@quorate/platform'
import type { ProcessNode } from './process-node.ts'

const opened = ({ directory }: ProcessNode) =>
  openSql({
    path: join(directory, 'node.db'),
    migrations: MIGRATIONS,
    clock: systemClock,
    random: systemRandom,
  })

export async function storedChain(node: ProcessNode): Promise<readonly Uint8Array[]> {
  const sql = await opened(node)
  try {
    return await new Store(sql).clusterChain()
  } finally {
    await sql.close()
  }
}

/** Puts these records in place of all that are stored, as whoever writes to the disk can. */
export async function replaceChain(node: ProcessNode, chain: readonly Uint8Array[]): Promise<void> {
  const sql = await opened(node)
  try {
    await sql.write([
      { sql: 'DELETE FROM cluster_records', params: [] },
      ...chain.map((record, i) => ({
        sql: 'INSERT INTO cluster_records (number, record) VALUES (?, ?)',
        params: [i + 1, record],
      })),
    ])
  } finally {
    await sql.close()
  }
}
