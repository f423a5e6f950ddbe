/**
 * The one error type. A `Fault` carries a code from the error table (`errors/`), which gives its
 * class, HTTP status, exit code, sentence and remedy; so two parts of the product never say the
 * same thing in two ways, and a code that has no entry does not compile.
 */
import { ERRORS, type ErrorClass, type ErrorEntry, type FaultCode } from './errors/table.ts'

export type FaultOptions = {
  /** What exactly was wrong, in our own words: never a secret, never text that a peer supplied. */
  readonly detail?: string
  readonly cause?: unknown
}

export class Fault extends Error {
  override readonly name: string = 'Fault'
  readonly code: FaultCode
  readonly detail: string | undefined

  constructor(code: FaultCode, options: FaultOptions = {}) {
    const { sentence } = ERRORS[code] as ErrorEntry
    super(options.detail === undefined ? sentence : `${sentence}: ${options.detail}`, {
      cause: options.cause,
    })
    this.code = code
    this.detail = options.detail
  }

  get entry(): ErrorEntry {
    return ERRORS[this.code]
  }
  get class(): ErrorClass {
    return this.entry.class
  }
  get retryable(): boolean {
    return this.entry.retryable
  }
  /** What the reader can do about it. */
  get remedy(): string {
    return this.entry.remedy
  }
}

/** Whether `error` is a Fault, also one made by another copy of this package; with `code`, that very one. */
export function isFault(error: unknown, code?: FaultCode): error is Fault {
  if (!(error instanceof Error) || !('code' in error) || !('detail' in error)) return false
  if (typeof error.code !== 'string' || !Object.hasOwn(ERRORS, error.code)) return false
  return code === undefined || error.code === code
}

/** Whether `code` is one of the table, e.g. one read from a problem document. */
export const isFaultCode = (code: string): code is FaultCode => Object.hasOwn(ERRORS, code)

/** A broken invariant: our mistake, not the caller's. Never caught below main. */
export function bug(detail: string): never {
  throw new Fault('base/bug', { detail })
}
