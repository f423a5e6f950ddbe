/** Values and errors of PostgreSQL as the port has them: 64-bit integers, bytes, text, null. */
import { Fault, type FaultCode } from '@quorate/base'
import type { SqlValue } from '../port.ts'

/** What the driver sends: integers as text, so that no precision is lost. */
export const toWire = (value: SqlValue): string | Buffer | null =>
  value === null || typeof value === 'string'
    ? value
    : value instanceof Uint8Array
      ? Buffer.from(value.buffer, value.byteOffset, value.byteLength)
      : String(value)

function integer(text: string): number | bigint {
  const number = Number(text)
  return Number.isSafeInteger(number) ? number : BigInt(text)
}

const bytes = (text: string): Uint8Array => new Uint8Array(Buffer.from(text.slice(2), 'hex'))

/** By the object id of the type (`pg_type.dat`): bool, bytea, int8, int2, int4, numeric. Other types are text. */
const PARSERS: ReadonlyMap<number, (text: string) => SqlValue> = new Map<
  number,
  (text: string) => SqlValue
>([
  // Comparisons are 0 and 1 in SQLite.
  [16, (text) => (text === 't' ? 1 : 0)],
  [17, bytes],
  [20, integer],
  [21, integer],
  [23, integer],
  // Sums of bigints. One with a fraction has no value in the port.
  [1700, (text) => (/^-?\d+$/.test(text) ? integer(text) : text)],
])
const asText = (text: string): SqlValue => text

export const fromWire = (oid: number): ((text: string) => SqlValue) => PARSERS.get(oid) ?? asText

/** By SQLSTATE or its class (PostgreSQL manual, appendix A); the longest that fits. */
const FAULTS: { readonly [state: string]: FaultCode } = {
  '08': 'platform/database-broken',
  '22': 'platform/bad-sql',
  '23': 'platform/constraint',
  '25006': 'platform/bad-sql',
  '40': 'platform/database-busy',
  '42': 'platform/bad-sql',
  '53': 'platform/overloaded',
  '53100': 'platform/disk-full',
  '55P03': 'platform/database-busy',
  '57': 'platform/database-broken',
  '58': 'platform/database-broken',
  XX: 'platform/database-corrupt',
}

/** The Fault that a driver's error stands for. Its text may hold values, so only the state is repeated. */
export function postgresFault(error: unknown): Fault {
  if (error instanceof Fault) return error
  const { code = '' } = (error ?? {}) as { readonly code?: string }
  const found = FAULTS[code] ?? FAULTS[code.slice(0, 2)]
  // Without a state it is the connection that failed, in one of many ways.
  return new Fault(found ?? 'platform/database-broken', {
    detail: /^[0-9A-Z]{5}$/.test(code) ? `SQLSTATE ${code}` : 'the connection to PostgreSQL',
    cause: error,
  })
}
