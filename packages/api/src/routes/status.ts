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
    /** SHA-256 of the certificate of the API on TCP, hex, where it speaks TLS. */
    readonly apiCertificate?: string
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
  /** Absent from a node that is too old to say. */
  readonly backup?: BackupStatusJson
}

export type BackupStatusJson = {
  readonly isEnabled: boolean
  /** Where backups go, without credentials. */
  readonly place?: string
  readonly newest?: { readonly number: number; readonly digest: string; readonly at: string }
  /** Code of why the last attempt failed. */
  readonly failure?: string
  /** When somebody last opened a backup of this node. */
  readonly drilledAt?: string
  /** Wallets that a restored node must refresh; absent where its signer does not answer. */
  readonly unrefreshed?: number
}

/** `{}`: the route says it all. */
export type NoBody = { readonly [name: string]: never }

export const noBodySchema: Schema<NoBody> = named<NoBody>(
  'NoBody',
  Type.Object({}, { additionalProperties: false }),
)

/** A backup that was just made. */
export type MadeBackupJson = {
  readonly number: number
  readonly digest: string
  readonly at: string
  /** Where it is, without credentials. */
  readonly place: string
}

export const madeBackupSchema: Schema<MadeBackupJson> = named<MadeBackupJson>(
  'MadeBackup',
  Type.Object({
    number: countSchema,
    digest: hexSchema(32),
    at: timeSchema,
    place: Type.String(),
  }),
)

export const statusSchema: Schema<StatusJson> = named<StatusJson>(
  'Status',
  Type.Object({
    node: Type.Object({
      id: idSchema('nod'),
      index: countSchema,
      startedAt: timeSchema,
      bootId: hexSchema(16),
      apiCertificate: Type.Optional(hexSchema(32)),
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
    backup: Type.Optional(
      Type.Object({
        isEnabled: Type.Boolean(),
        place: Type.Optional(Type.String()),
        newest: Type.Optional(
          Type.Object({ number: countSchema, digest: hexSchema(32), at: timeSchema }),
        ),
        failure: Type.Optional(Type.String()),
        drilledAt: Type.Optional(timeSchema),
        unrefreshed: Type.Optional(countSchema),
      }),
    ),
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
