/** Statements of the port as PostgreSQL wants them: `?` becomes `$1`, `$2` … */
import { tokensOf } from '../statement.ts'

export type Prepared = {
  /** Under which the server keeps the plan; one for each text of this process. */
  readonly name: string
  readonly text: string
}

const known = new Map<string, Prepared>()
const MAX_KNOWN = 1000
let made = 0

/** The statement with a name to prepare it under. */
export function prepared(sql: string): Prepared {
  const found = known.get(sql)
  if (found !== undefined) return found
  let parameter = 0
  const text = tokensOf(sql)
    .map((token) => (token === '?' ? `$${++parameter}` : token))
    .join('')
  const one: Prepared = { name: `q${++made}`, text }
  // Statements are constants of the program; the bound only matters to one that builds them.
  if (known.size >= MAX_KNOWN) known.clear()
  known.set(sql, one)
  return one
}
