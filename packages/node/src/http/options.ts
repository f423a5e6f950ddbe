/** What the API is served from. */
import type { AcceptedRecord } from '@quorate/auth'
import type { Logger } from '@quorate/base'
import type { Anchors } from '../anchors.ts'
import type { NodeConfig } from '../config.ts'
import type { LocalNode } from '../local.ts'
import type { Operations } from '../operations.ts'

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
  /** Indices of the nodes that are connected. */
  readonly connected: ReadonlySet<number>
  readonly logger: Logger
}
