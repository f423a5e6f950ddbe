import * as settingType from './config/types.ts'

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
  type Bus,
  MAX_FRAME_BYTES,
  type MessageHandler,
  type PeerHandler,
  type PeerStatus,
  QUEUE_LIMITS,
  type QueueLimits,
} from './bus/port.ts'
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
} from './http/server.ts'
export { createLogger, type LoggerOptions, type LogSink, printable } from './log/logger.ts'
export { type FileSink, type FileSinkOptions, fileSink, streamSink } from './log/sinks.ts'
export { type Address, addressText, listen } from './net/listen.ts'
export { type HardeningFinding, hardenProcess } from './process/harden.ts'
export { openSql, type SqlOptions } from './sql/open.ts'
export type { Migration, Sql, SqlDriverName, SqlRow, SqlStatement, SqlValue } from './sql/port.ts'
export { systemClock, systemRandom } from './time/system.ts'
export { type Cancel, ManualTime, systemTimers, type Timers } from './time/timers.ts'
export { settingType }
