/** What the API is served from. */
import type { AcceptedRecord } from '@quorate/auth'
import type { Logger } from '@quorate/base'
import type { Registry } from '@quorate/platform'
import type { Anchors } from '../anchors.ts'
import type { Backups } from '../backup/backups.ts'
import type { NodeConfig } from '../config.ts'
import type { Readiness } from '../health.ts'
import type { Lifecycle } from '../lifecycle.ts'
import type { LocalNode } from '../local.ts'
import type { Operations } from '../operations.ts'
import type { Watch } from '../watch.ts'
import type { ApiTls } from './tls.ts'

export type ServeOptions = {
  readonly config: NodeConfig
  readonly local: LocalNode
  readonly cluster: AcceptedRecord
  readonly index: number
  readonly startedAt: number
  /** Point arithmetic in use, by group. */
  readonly backends: { readonly [group: string]: string }
  readonly operations: Operations
  readonly anchors: Anchors
  readonly backups: Backups
  /** Indices of the nodes that are connected. */
  readonly connected: ReadonlySet<number>
  readonly logger: Logger
  readonly registry: Registry
  readonly watch: Watch
  readonly readiness: Readiness
  readonly lifecycle: Lifecycle
  /** Of the API on TCP. */
  readonly tls?: ApiTls
}
