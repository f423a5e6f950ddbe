/** SIMULATED CloudWatch Logs: keeps events under the rules of PutLogEvents. */
import { type Answer, type Asked, type Body, type Service, ServiceError, textIn } from './server.ts'

type LogEvent = { readonly timestamp: number; readonly message: string }

export class SimulatedCloudWatch implements Service {
  readonly groups = new Set<string>()
  /** Events of each stream, by group/stream. */
  readonly streams = new Map<string, LogEvent[]>()
  /** How many events each call brought. */
  readonly batches: number[] = []
  readonly now: number

  constructor(now: number) {
    this.now = now
  }

  operationOf({ headers }: Asked): string {
    return String(headers['x-amz-target']).replace('Logs_20140328.', '')
  }

  errorAnswer({ status, code }: ServiceError): Answer {
    return { status, body: { __type: code, message: 'simulated: secret-of-the-service' } }
  }

  answer(operation: string, { body }: Asked): Answer {
    const group = textIn(body, 'logGroupName')
    if (operation === 'CreateLogGroup') {
      if (this.groups.has(group)) throw new ServiceError(400, 'ResourceAlreadyExistsException')
      this.groups.add(group)
      return { body: {} }
    }
    const name = `${group}/${textIn(body, 'logStreamName')}`
    const stream = this.streams.get(name)
    if (operation === 'CreateLogStream') {
      if (!this.groups.has(group)) throw new ServiceError(400, 'ResourceNotFoundException')
      if (stream !== undefined) throw new ServiceError(400, 'ResourceAlreadyExistsException')
      this.streams.set(name, [])
      return { body: {} }
    }
    if (stream === undefined) throw new ServiceError(400, 'ResourceNotFoundException')
    return { body: this.#put(stream, body['logEvents'] as LogEvent[]) }
  }

  #put(stream: LogEvent[], events: readonly LogEvent[]): Body {
    const bytes = events.reduce((sum, { message }) => sum + Buffer.byteLength(message) + 26, 0)
    const isOrdered = events.every(
      ({ timestamp }, i) => timestamp >= (events[i - 1]?.timestamp ?? 0),
    )
    if (events.length === 0 || events.length > 10_000 || bytes > 1_048_576 || !isOrdered)
      throw new ServiceError(400, 'InvalidParameterException')
    const old = events.filter(({ timestamp }) => timestamp < this.now - 86_400_000).length
    const isNew = events.findIndex(({ timestamp }) => timestamp > this.now + 7_200_000)
    this.batches.push(events.length)
    if (old > 0) return { rejectedLogEventsInfo: { expiredLogEventEndIndex: old } }
    if (isNew >= 0) return { rejectedLogEventsInfo: { tooNewLogEventStartIndex: isNew } }
    stream.push(...events)
    return {}
  }
}
