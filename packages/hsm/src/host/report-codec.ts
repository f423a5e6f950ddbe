/** The bytes of a report, for the channel from the process that opened the HSM. */
import {
  array,
  bytes,
  type Codec,
  field,
  int,
  mapped,
  oneOf,
  optional,
  record,
  text,
} from '@quorate/base'
import { OPERATIONS, type OperationName } from './operations.ts'
import { LATENCY_BOUNDS, type OperationFigures } from './statistics.ts'
import type { CheckedHealth, HostFigures, HsmReport } from './status.ts'

/** A token's label in its canonical form; a token may have chosen another. */
const component: Codec<string> = mapped(
  text(1024),
  (value) => value,
  (value) => value.normalize('NFC'),
)
const count = int()
const code = text(96)

/** Eight bytes of IEEE 754: canonical CBOR has no floats. */
const float: Codec<number> = mapped(
  bytes(8),
  (value) => new DataView(value.buffer, value.byteOffset).getFloat64(0),
  (value) => {
    const out = new Uint8Array(8)
    new DataView(out.buffer).setFloat64(0, value)
    return out
  },
)

const health: Codec<CheckedHealth> = mapped(
  record({ time: field(0, count), reason: optional(1, code) }),
  ({ time, reason }) =>
    reason === undefined ? { state: 'ok', time } : { state: 'failed', reason, time },
  (value) => ({ time: value.time, reason: value.state === 'failed' ? value.reason : undefined }),
)

const bucketCount = LATENCY_BOUNDS.length + 1
const operationNames = Object.keys(OPERATIONS) as OperationName[]
const operations: Codec<HostFigures['operations']> = mapped(
  array(
    record({
      name: field(0, oneOf(...operationNames)),
      done: field(1, count),
      failed: field(2, count),
      refused: field(3, count),
      seconds: field(4, float),
      buckets: field(5, array(count, { min: bucketCount, max: bucketCount })),
    }),
    { max: operationNames.length },
  ),
  (rows) =>
    new Map(rows.map(({ name, ...figures }): [OperationName, OperationFigures] => [name, figures])),
  (map) => [...map].map(([name, figures]) => ({ name, ...figures })),
)

const host = mapped(
  record({
    state: field(0, oneOf('starting', 'up', 'waiting', 'latched', 'closed')),
    breaker: field(1, oneOf('closed', 'open', 'half-open')),
    pid: optional(2, count),
    restarts: field(3, count),
    ends: field(
      4,
      record({
        crash: field(0, count),
        hang: field(1, count),
        malformed: field(2, count),
        device: field(3, count),
        closed: field(4, count),
      }),
    ),
    recentEnds: field(5, count),
    lastFault: optional(6, record({ code: field(0, code), time: field(1, count) })),
    pool: field(
      7,
      record({
        open: field(0, count),
        busy: field(1, count),
        limit: field(2, count),
        queued: field(3, count),
      }),
    ),
    wrongResults: field(8, count),
    operationsPerSecond: field(9, float),
    errorRate: field(10, float),
    operations: field(11, operations),
  }),
  (value): HostFigures => ({ ...value, pid: value.pid, lastFault: value.lastFault }),
  (value) => value,
)

export const hsmReportCodec: Codec<HsmReport> = record({
  component: field(0, component),
  custody: field(1, oneOf('software', 'sealed', 'hardware')),
  health: field(2, health),
  host: optional(3, host),
})
