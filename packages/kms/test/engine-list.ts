/** The databases that a store runs on: SQLite, and PostgreSQL where it is installed. */
import test, { after } from 'node:test'
import { startPostgres } from './postgres-server.js'

export type Engine = {
  readonly name: 'sqlite' | 'postgresql'
  /** Of a database that nothing is in; `undefined` for a file. */
  uri(): Promise<string | undefined>
}

const server = await startPostgres()
if (server === undefined)
  test('postgresql', { skip: 'PostgreSQL is not installed' }, () => undefined)
else after(() => server.stop())
let databases = 0

export const ENGINES: readonly Engine[] = [
  { name: 'sqlite', uri: () => Promise.resolve(undefined) },
  ...(server === undefined
    ? []
    : [
        {
          name: 'postgresql' as const,
          uri: async () => {
            const database = `kms${++databases}`
            await server.makeDatabase(database)
            return server.uri(database)
          },
        },
      ]),
]
