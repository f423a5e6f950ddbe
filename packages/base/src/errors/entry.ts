/** What kind of failure a code names; see `docs/adr` and `ARCHITECTURE.md` for the HTTP and retry rules. */
export type ErrorClass =
  | 'InvalidInput'
  | 'Denied'
  | 'NotFound'
  | 'Conflict'
  | 'Abort'
  | 'DeviceFault'
  | 'Unavailable'
  | 'Bug'

export type ErrorEntry = {
  readonly class: ErrorClass
  readonly http: number
  /** Exit code of the CLI: 1 failed, 2 usage, 3 denied, 4 not found or conflict, 5 unavailable, 6 does not verify, 7 findings. */
  readonly exit: number
  /** Whether the same call may succeed later. An abort is retried in a new protocol session. */
  readonly retryable: boolean
  /** What was wrong. */
  readonly sentence: string
  /** What to do. */
  readonly remedy: string
}

type Row = readonly [sentence: string, remedy: string]
type RowMaker = (row: Row, http?: number, exit?: number) => ErrorEntry

const rowOf =
  (kind: ErrorClass, usualHttp: number, usualExit: number, retryable: boolean): RowMaker =>
  ([sentence, remedy], http = usualHttp, exit = usualExit) => ({
    class: kind,
    http,
    exit,
    retryable,
    sentence,
    remedy,
  })

/** Makers of table rows, one per class; status and exit code can be overridden. */
export const invalid: RowMaker = rowOf('InvalidInput', 400, 2, false)
export const denied: RowMaker = rowOf('Denied', 403, 3, false)
export const notFound: RowMaker = rowOf('NotFound', 404, 4, false)
export const conflict: RowMaker = rowOf('Conflict', 409, 4, false)
export const abort: RowMaker = rowOf('Abort', 502, 1, true)
export const device: RowMaker = rowOf('DeviceFault', 503, 5, false)
export const unavailable: RowMaker = rowOf('Unavailable', 503, 5, true)
export const broken: RowMaker = rowOf('Bug', 500, 1, false)
