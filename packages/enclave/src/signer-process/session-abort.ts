/** An abort as plain data, with all that it says, for crossing between threads. */
import { Abort, type AbortCode, type AbortOptions } from '@quorate/threshold'

export type PlainAbort = Omit<AbortOptions, 'cause'> & { readonly code: AbortCode }

/** All but the cause, which is for whoever debugs the thread it arose in. */
export function toPlainAbort(abort: Abort): PlainAbort {
  const { code, culprits, laggards, witnesses, round, detail, proof, complaint, evidence } = abort
  return {
    code: code as AbortCode,
    culprits,
    laggards,
    witnesses,
    round,
    ...(detail !== undefined && { detail }),
    ...(proof !== undefined && { proof }),
    ...(complaint !== undefined && { complaint }),
    ...(evidence !== undefined && { evidence }),
  }
}

export const fromPlainAbort = ({ code, ...options }: PlainAbort): Abort => new Abort(code, options)
