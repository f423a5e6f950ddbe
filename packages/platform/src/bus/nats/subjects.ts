/** The names of subjects, streams and buckets on a NATS server: here, and in the permissions of its users. */
import { toHex } from '@quorate/base'

/** Of requests on the queue; a key generation makes a wallet, a reshare gives it new shares. */
export const QUEUE_KINDS = ['keygen', 'sign', 'reshare'] as const
export type QueueKind = (typeof QUEUE_KINDS)[number]

/** What a prefix may be: words of letters, digits, - and _, joined by dots. */
export const PREFIX_PATTERN: RegExp = /^[A-Za-z0-9_-]{1,32}(\.[A-Za-z0-9_-]{1,32}){0,3}$/
export const DEFAULT_PREFIX = 'mpc'

/** A cluster in a subject: enough of its id that two clusters on one server never meet by accident. */
export const clusterWord = (cluster: Uint8Array): string => toHex(cluster.subarray(0, 8))

/** What node `from` says to node `to`. */
export const peerSubject = (
  prefix: string,
  cluster: Uint8Array,
  from: number | '*',
  to: number | '*',
): string => `${prefix}.p.${clusterWord(cluster)}.${from}.${to}`

export const requestSubject = (prefix: string, kind: QueueKind): string =>
  `${prefix}.${kind}.request`

/** `id`: of the request whose result it is. */
export const responseSubject = (prefix: string, kind: QueueKind | '*', id: string): string =>
  `${prefix}.${kind}.response.${id}`

const streamWord = (prefix: string): string => prefix.replaceAll('.', '_')
export const requestStream = (prefix: string): string => `${streamWord(prefix)}_requests`
export const responseStream = (prefix: string): string => `${streamWord(prefix)}_responses`
/** The key-value bucket in which nodes are found. */
export const nodesBucket = (prefix: string): string => `${streamWord(prefix)}_nodes`
/** The key of a node in it. */
export const nodeKey = (cluster: Uint8Array, index: number): string =>
  `${clusterWord(cluster)}.${index}`

/** What the subjects of answers to a node begin with. */
export const nodeInbox = (cluster: Uint8Array, index: number): string =>
  `_INBOX.${clusterWord(cluster)}.${index}`
/** And to a client, by a name of its own on the server. */
export const clientInbox = (cluster: Uint8Array, name: string): string =>
  `_INBOX.${clusterWord(cluster)}.client.${name}`
