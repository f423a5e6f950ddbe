/** What passes between `openSql` and its worker thread. */
import type { FaultCode } from '@quorate/base'
import type { SqlStatement, SqlValue } from './port.ts'

export type Request =
  | { readonly kind: 'write'; readonly id: number; readonly statements: readonly SqlStatement[] }
  | {
      readonly kind: 'read'
      readonly id: number
      readonly sql: string
      readonly params: readonly SqlValue[]
    }
  | { readonly kind: 'checkpoint' | 'close'; readonly id: number }

export type WireFault = {
  readonly code: FaultCode
  readonly detail: string | undefined
  /** Which statement of a write it was. */
  readonly statement: number | undefined
}

type Result<T> = { readonly id: number } & (T | { readonly fault: WireFault })

export type Answer =
  | { readonly kind: 'ready'; readonly storeId: string }
  | { readonly kind: 'failed'; readonly fault: WireFault }
  | {
      readonly kind: 'written'
      readonly outcomes: readonly Result<{ readonly changes: readonly number[] }>[]
    }
  | ({ readonly kind: 'done' } & Result<{ readonly result: unknown }>)
