/** One connection to PostgreSQL, statements sent without waiting for the answers of those before. */
import { Fault } from '@quorate/base'
import type { Client, ClientConfig, QueryResult } from 'pg'
import type { SqlRow, SqlValue } from '../port.ts'
import { prepared } from './text.ts'
import { fromWire, postgresFault, toWire } from './values.ts'

const CONNECT_MS = 10_000

export class PostgresConnection {
  readonly #client: Client
  #failure: Fault | undefined

  private constructor(client: Client) {
    this.#client = client
    const lost = (cause?: unknown): void => {
      this.#failure ??= new Fault('platform/database-broken', {
        detail: 'the connection to PostgreSQL was lost',
        cause,
      })
    }
    client.on('error', lost)
    client.on('end', () => lost())
  }

  /** @throws platform/no-database-driver, platform/database-broken */
  static async open(uri: string): Promise<PostgresConnection> {
    const { default: pg } = await import('pg').catch((cause: unknown) => {
      throw new Fault('platform/no-database-driver', { detail: 'pg is not installed', cause })
    })
    const config = {
      connectionString: uri,
      application_name: 'quorate',
      connectionTimeoutMillis: CONNECT_MS,
      keepAlive: true,
      pipeline: true,
      types: { getTypeParser: (oid: number) => fromWire(oid) },
    }
    const client = new pg.Client(config as ClientConfig)
    const connection = new PostgresConnection(client)
    try {
      await client.connect()
      return connection
    } catch (error) {
      throw postgresFault(error)
    }
  }

  get isLost(): boolean {
    return this.#failure !== undefined
  }

  /** Any number of statements without values. @throws platform/* */
  async exec(sql: string): Promise<void> {
    await this.#query(() => this.#client.query(sql))
  }

  /** One checked statement. @throws platform/* */
  async run(
    sql: string,
    params: readonly SqlValue[],
  ): Promise<{ readonly rows: readonly SqlRow[]; readonly changes: number }> {
    const { rows, rowCount } = await this.#query(() =>
      this.#client.query<SqlRow>({ ...prepared(sql), values: params.map(toWire) }),
    )
    return { rows, changes: rowCount ?? 0 }
  }

  async #query<R extends QueryResult | readonly QueryResult[]>(send: () => Promise<R>): Promise<R> {
    if (this.#failure !== undefined) throw this.#failure
    try {
      return await send()
    } catch (error) {
      throw postgresFault(error)
    }
  }

  async close(): Promise<void> {
    await this.#client.end().catch(() => undefined)
  }
}
