/**
 * Audit records to Amazon CloudWatch Logs, by its official client. The answer to PutLogEvents says that the
 * records are kept, so this delivery confirms. In: lines of the chain. Out: log events in the same order, in
 * batches within the limits of the service; group and stream are made where they are missing.
 *
 * Spec: Amazon CloudWatch Logs API Reference, PutLogEvents (2014-03-28).
 */
import type { CloudWatchLogsClient, InputLogEvent } from '@aws-sdk/client-cloudwatch-logs'
import { type Clock, Fault, utf8 } from '@quorate/base'
import { awsFailure } from '../cloud/aws/failures.ts'
import { type CallPorts, Calls, DEFAULT_TIMEOUT_MS, systemCallPorts } from '../cloud/calls.ts'
import { type FailureKind, ServiceFailure } from '../cloud/failure.ts'
import { loadClient } from '../cloud/load.ts'
import type { AuditDelivery, AuditLine } from './delivery.ts'

export type CloudWatchOptions = {
  readonly region: string
  readonly group: string
  /** One for each writer: records of two chains in one stream could not be told apart. */
  readonly stream: string
  /** Another entrance than the usual one, such as a private one. */
  readonly endpoint?: string | undefined
  /** Of one request; 10 s unless told. */
  readonly requestTimeoutMs?: number | undefined
  readonly clock: Clock
  /** Of this machine unless given. */
  readonly calls?: CallPorts
}

/** Of one call, as the service sets them. */
export const CLOUDWATCH_LIMITS = {
  events: 10_000,
  bytes: 1_048_576,
  /** Counted for each event besides its text. */
  bytesPerEvent: 26,
} as const

/** The service refuses events that are older than a group keeps them, at least a day, or far ahead. */
const MAX_AGE_MS = 43_200_000

type Logs = typeof import('@aws-sdk/client-cloudwatch-logs')
type LogEvent = InputLogEvent & { readonly timestamp: number; readonly message: string }

/** A delivery called `cloudwatch`. @throws hsm/client-missing */
export async function cloudWatchDelivery(options: CloudWatchOptions): Promise<AuditDelivery> {
  const {
    region,
    endpoint,
    requestTimeoutMs: timeoutMs = DEFAULT_TIMEOUT_MS,
    calls = systemCallPorts,
  } = options
  const logs = await loadClient(
    '@aws-sdk/client-cloudwatch-logs',
    () => import('@aws-sdk/client-cloudwatch-logs'),
  )
  const client = new logs.CloudWatchLogsClient({
    region,
    maxAttempts: 1,
    requestHandler: { connectionTimeout: timeoutMs, requestTimeout: timeoutMs },
    ...(endpoint !== undefined && { endpoint }),
  })
  return new CloudWatchDelivery(
    logs,
    client,
    new Calls({ ...calls, timeoutMs, classify: awsFailure }),
    options,
  )
}

class CloudWatchDelivery implements AuditDelivery {
  readonly name = 'cloudwatch'
  readonly confirms = true
  readonly #logs: Logs
  readonly #client: CloudWatchLogsClient
  readonly #calls: Calls
  readonly #place: { readonly logGroupName: string; readonly logStreamName: string }
  readonly #clock: Clock
  /** Calls one after the other: the order of records is that of the chain. */
  #last: Promise<void> = Promise.resolve()
  /** Of the event sent last: the service wants them in order of time, and clocks go back. */
  #newest = 0

  constructor(logs: Logs, client: CloudWatchLogsClient, calls: Calls, options: CloudWatchOptions) {
    this.#logs = logs
    this.#client = client
    this.#calls = calls
    this.#place = { logGroupName: options.group, logStreamName: options.stream }
    this.#clock = options.clock
  }

  /** @throws hsm/audit-unavailable */
  deliver(lines: readonly AuditLine[]): Promise<void> {
    const work = this.#last.then(() => this.#deliver(lines))
    this.#last = work.catch(() => undefined)
    return work
  }

  async close(): Promise<void> {
    this.#calls.close()
    await this.#last
    this.#client.destroy()
  }

  async #deliver(lines: readonly AuditLine[]): Promise<void> {
    try {
      for (const batch of batchesOf(this.#eventsOf(lines))) await this.#put(batch)
    } catch (error) {
      if (!(error instanceof ServiceFailure)) throw error
      throw new Fault('hsm/audit-unavailable', { detail: `CloudWatch Logs: ${WORDS[error.kind]}` })
    }
  }

  /** The text keeps the time of the record; the time of the event only has to please the service. */
  #eventsOf(lines: readonly AuditLine[]): readonly LogEvent[] {
    const now = this.#clock.now()
    return lines.map(({ time, text }) => {
      const timestamp = Math.max(now - MAX_AGE_MS, Math.min(now, Math.max(time, this.#newest)))
      this.#newest = Math.max(this.#newest, timestamp)
      return { timestamp, message: text }
    })
  }

  async #put(batch: readonly LogEvent[]): Promise<void> {
    try {
      await this.#putOnce(batch)
    } catch (error) {
      if (!isKind(error, 'absent')) throw error
      await this.#makePlace()
      await this.#putOnce(batch)
    }
  }

  async #putOnce(batch: readonly LogEvent[]): Promise<void> {
    const { PutLogEventsCommand } = this.#logs
    const command = new PutLogEventsCommand({ ...this.#place, logEvents: [...batch] })
    const { rejectedLogEventsInfo } = await this.#calls.run((abortSignal) =>
      this.#client.send(command, { abortSignal }),
    )
    // It takes the others and says so in its answer, as a success.
    if (rejectedLogEventsInfo !== undefined) throw new ServiceFailure('rejected')
  }

  async #makePlace(): Promise<void> {
    const { CreateLogGroupCommand, CreateLogStreamCommand } = this.#logs
    const { logGroupName } = this.#place
    const makeStream = (): Promise<unknown> =>
      this.#calls.run((abortSignal) =>
        this.#client.send(new CreateLogStreamCommand(this.#place), { abortSignal }),
      )
    try {
      await makeStream().catch(unlessExists)
    } catch (error) {
      if (!isKind(error, 'absent')) throw error
      await this.#calls
        .run((abortSignal) =>
          this.#client.send(new CreateLogGroupCommand({ logGroupName }), { abortSignal }),
        )
        .catch(unlessExists)
      await makeStream().catch(unlessExists)
    }
  }
}

/** The events in their order, cut where one more would be over a limit of a call. */
export function batchesOf(events: readonly LogEvent[]): readonly (readonly LogEvent[])[] {
  const batches: LogEvent[][] = []
  let batch: LogEvent[] = []
  let bytes = 0
  for (const event of events) {
    const size = utf8(event.message).length + CLOUDWATCH_LIMITS.bytesPerEvent
    const isFull =
      batch.length >= CLOUDWATCH_LIMITS.events || bytes + size > CLOUDWATCH_LIMITS.bytes
    if (batch.length > 0 && isFull) {
      batches.push(batch)
      batch = []
      bytes = 0
    }
    batch.push(event)
    bytes += size
  }
  if (batch.length > 0) batches.push(batch)
  return batches
}

const isKind = (error: unknown, kind: FailureKind): boolean =>
  error instanceof ServiceFailure && error.kind === kind

function unlessExists(error: unknown): void {
  if (!isKind(error, 'exists')) throw error
}

/** What the reader is told; nothing of what the service wrote. */
const WORDS: { readonly [K in FailureKind]: string } = {
  busy: 'it limits how often it is asked',
  unavailable: 'it failed or was silent',
  unreachable: 'there is no connection',
  corrupted: 'a checksum does not hold',
  'wrong-result': 'it answers what cannot be',
  'no-credentials': 'no credentials could be had',
  denied: 'these credentials may not write there',
  disabled: 'it is switched off',
  absent: 'group and stream cannot be found',
  exists: 'group or stream is taken',
  unsupported: 'it cannot do this',
  full: 'the account may have no more groups or streams',
  rejected: 'it refuses the records',
  'cannot-open': 'it refuses the records',
}
