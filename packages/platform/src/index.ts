import * as settingType from './config/types.ts'

export { openBlobStore } from './blob/open.ts'
export { BLOB_KEY, type BlobInfo, type BlobStore } from './blob/port.ts'
export type { Greeter, HelloContext } from './bus/link.ts'
export { MemoryNetwork, type MemoryNetworkOptions } from './bus/memory.ts'
export {
  MESH_TIMES,
  type Mesh,
  type MeshOptions,
  type MeshTimes,
  openMesh,
  type TlsIdentity,
} from './bus/mesh.ts'
export {
  type Broker,
  type BrokerOptions,
  openBroker,
} from './bus/nats/broker.ts'
export { type NatsBusOptions, openNatsBus } from './bus/nats/bus.ts'
export {
  type ClientUser,
  type NatsUsers,
  type NodeUser,
  natsAuthorization,
} from './bus/nats/permissions.ts'
export {
  clientInbox,
  DEFAULT_PREFIX,
  nodeInbox,
  PREFIX_PATTERN,
  type QueueKind,
} from './bus/nats/subjects.ts'
export {
  type Bus,
  MAX_FRAME_BYTES,
  type MessageHandler,
  type PeerHandler,
  type PeerStatus,
  QUEUE_LIMITS,
  type QueueLimits,
} from './bus/port.ts'
export { type JetStreamQueueOptions, openJetStreamQueue } from './bus/requests/jetstream.ts'
export { type MemoryQueueOptions, MemoryRequests } from './bus/requests/memory.ts'
export type {
  QueuedRequest,
  RequestQueue,
  RequestQueueLimits,
} from './bus/requests/port.ts'
export { type FileValue, parseConfigFile } from './config/file.ts'
export {
  Config,
  type ConfigSources,
  loadConfig,
  type Origin,
  type ShownSetting,
} from './config/load.ts'
export {
  environmentName,
  nearest,
  type Setting,
  type Settings,
  type SettingValue,
  setting,
} from './config/settings.ts'
export { type ConsulBoardOptions, openConsulBoard } from './discovery/consul.ts'
export type { ConsulAccess } from './discovery/consul-http.ts'
export { MemoryBoard } from './discovery/memory.ts'
export { type NatsBoardOptions, openNatsBoard } from './discovery/nats.ts'
export {
  type Board,
  type Discovery,
  type DiscoveryOptions,
  startDiscovery,
} from './discovery/port.ts'
export {
  armFailpoints,
  type FailpointAction,
  type FailpointOptions,
  failpoint,
} from './failpoint.ts'
export { FAILPOINTS } from './failpoints.generated.ts'
export {
  fileFault,
  type ReadLimits,
  readFile,
  syncDirectory,
  writeFileAtomic,
} from './files/atomic.ts'
export { type DataDirectory, ensurePrivateDirectory, openDataDirectory } from './files/directory.ts'
export type {
  HttpAnswer,
  HttpConnection,
  HttpMethod,
  HttpRequest,
  HttpRoute,
  JsonSchema,
  ServerEvent,
  UncheckedRequest,
} from './http/route.ts'
export {
  createHttp,
  HTTP_LIMITS,
  type HttpLimits,
  type HttpOptions,
  type HttpServer,
  type HttpTls,
} from './http/server.ts'
export { createLogger, type LoggerOptions, type LogSink, printable } from './log/logger.ts'
export { type FileSink, type FileSinkOptions, fileSink, streamSink } from './log/sinks.ts'
export {
  isSyslogTarget,
  openSyslog,
  type Syslog,
  type SyslogMessage,
  syslogBytes,
} from './log/syslog.ts'
export {
  type Counter,
  type Histogram,
  METRICS_CONTENT_TYPE,
  Registry,
  type Sample,
  SECONDS,
} from './metrics/registry.ts'
export { type Address, addressText, listen } from './net/listen.ts'
export { type HardeningFinding, hardenProcess } from './process/harden.ts'
export { steadyHeap } from './process/heap.ts'
export { openSql, type SqlOptions } from './sql/open.ts'
export {
  type Migration,
  type Snapshot,
  type Sql,
  type SqlDriverName,
  type SqlRow,
  type SqlStatement,
  type SqlValue,
  StatementFault,
} from './sql/port.ts'
export { openPostgres, type PostgresOptions } from './sql/postgres/open.ts'
export { systemClock, systemRandom } from './time/system.ts'
export { type Cancel, ManualTime, systemTimers, type Timers } from './time/timers.ts'
export {
  OTLP_LIMITS,
  type OtlpLimits,
  type OtlpOptions,
  OtlpTracer,
  otlpHeaders,
  tracesUrl,
} from './tracing/otlp.ts'
export {
  type Attributes,
  parseTraceparent,
  type Span,
  type SpanOptions,
  type TraceContext,
  type Tracer,
  traceparent,
} from './tracing/port.ts'
export { settingType }
