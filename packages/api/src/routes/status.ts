/** What a node says about itself and its cluster. */
import { Type } from '@sinclair/typebox'
import {
  countSchema,
  enumSchema,
  hexSchema,
  idSchema,
  named,
  type Schema,
  timeSchema,
} from './schema.ts'
import { type Environment, environmentSchema } from './wallet.ts'

/** Says nothing that a stranger could use. */
export type HealthJson = { readonly status: 'ok' | 'unavailable' }

export const healthSchema: Schema<HealthJson> = named<HealthJson>(
  'Health',
  Type.Object({ status: enumSchema('ok', 'unavailable') }),
)

export type PeerJson = {
  readonly index: number
  readonly id: string
  readonly state: 'connected' | 'silent'
}

export type StatusJson = {
  readonly node: {
    readonly id: string
    readonly index: number
    readonly startedAt: string
    /** Random per start, hex. */
    readonly bootId: string
  }
  readonly cluster: {
    /** Hash of the cluster record, hex. */
    readonly id: string
    readonly name: string
    /** Of the record in force. */
    readonly number: number
    readonly size: number
  }
  readonly environment: Environment
  readonly peers: readonly PeerJson[]
  readonly wallets: number
  /** Wallets whose making was cut short and is being settled with the other nodes. */
  readonly pendingWallets: number
  readonly runningOperations: number
  readonly custody: {
    /** Type of the HSM that seals the shares, e.g. `simulated`. */
    readonly kind: string
    /** How far that is trusted, weakest first. */
    readonly level: 'software' | 'sealed' | 'hardware'
  }
  readonly audit: {
    readonly seq: number
    readonly h: string
    /** Number of the last record that a checkpoint covers. */
    readonly checkpointSeq: number
    /** Whether a checkpoint lies anywhere outside the data directory. */
    readonly rollbackDetectable: boolean
  }
  readonly versions: {
    readonly product: string
    readonly runtime: string
    /** Highest protocol version that it speaks. */
    readonly protocol: number
  }
  /** Engine by group, e.g. `{ed25519: 'noble'}`. */
  readonly backends: { readonly [group: string]: string }
}

export const statusSchema: Schema<StatusJson> = named<StatusJson>(
  'Status',
  Type.Object({
    node: Type.Object({
      id: idSchema('nod'),
      index: countSchema,
      startedAt: timeSchema,
      bootId: hexSchema(16),
    }),
    cluster: Type.Object({
      id: hexSchema(32),
      name: Type.String(),
      number: countSchema,
      size: countSchema,
    }),
    environment: environmentSchema,
    peers: Type.Array(
      Type.Object({
        index: countSchema,
        id: idSchema('nod'),
        state: enumSchema('connected', 'silent'),
      }),
    ),
    wallets: countSchema,
    pendingWallets: countSchema,
    runningOperations: countSchema,
    custody: Type.Object({
      kind: Type.String(),
      level: enumSchema('software', 'sealed', 'hardware'),
    }),
    audit: Type.Object({
      seq: countSchema,
      h: hexSchema(32),
      checkpointSeq: countSchema,
      rollbackDetectable: Type.Boolean(),
    }),
    versions: Type.Object({
      product: Type.String(),
      runtime: Type.String(),
      protocol: countSchema,
    }),
    backends: Type.Record(Type.String(), Type.String()),
  }),
)

export type ClusterJson = {
  readonly id: string
  readonly name: string
  readonly number: number
  readonly environment: Environment
  readonly adminThreshold: number
  readonly minProtocol: number
  /** Of the record's hash, to be compared by voice. */
  readonly words: readonly string[]
  readonly nodes: readonly {
    readonly index: number
    readonly id: string
    readonly identityKey: string
    readonly minCustody: string
  }[]
}

export const clusterSchema: Schema<ClusterJson> = named<ClusterJson>(
  'Cluster',
  Type.Object({
    id: hexSchema(32),
    name: Type.String(),
    number: countSchema,
    environment: environmentSchema,
    adminThreshold: countSchema,
    minProtocol: countSchema,
    words: Type.Array(Type.String(), { minItems: 8, maxItems: 8 }),
    nodes: Type.Array(
      Type.Object({
        index: countSchema,
        id: idSchema('nod'),
        identityKey: hexSchema(32),
        minCustody: Type.String(),
      }),
    ),
  }),
)
