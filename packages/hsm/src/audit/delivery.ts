/**
 * Where audit records are sent besides the files that hold the chain. The files are always first: a
 * delivery gets what is on disk there already, in order, and after a fault or a restart once more from
 * where it was last confirmed. So it may get a record twice (by its number they are told apart), and
 * never has a hole.
 *
 * Whether a delivery *confirms* is a property of its protocol: the answer of CloudWatch Logs says that the
 * records are kept; no syslog says more than that bytes were handed on. Only one that confirms can be
 * waited for, and counts as "written down" where policy demands that.
 */

export type AuditLine = {
  readonly seq: number
  /** Milliseconds since the epoch. */
  readonly time: number
  /** One line of JSON without a break: number, hash of the chain, bytes, and the record to read. */
  readonly text: string
}

export type AuditDelivery = {
  /** For people and metrics, e.g. `syslog`; also names its place in the state. */
  readonly name: string
  /** Whether `deliver` resolves only once the other side keeps the records. */
  readonly confirms: boolean
  /** Delivers lines, oldest first: all of them, or it throws. */
  deliver(lines: readonly AuditLine[]): Promise<void>
  close(): Promise<void>
}
