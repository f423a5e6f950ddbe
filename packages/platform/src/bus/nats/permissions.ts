/**
 * What each user of a NATS server may do, as its configuration wants it: least privilege, so that a
 * stolen credential of one node or client can neither speak nor listen in the place of another.
 * Nothing in the product's security rests on it; it keeps strangers from costing time.
 */
import {
  clientInbox,
  clusterWord,
  nodeInbox,
  nodeKey,
  nodesBucket,
  peerSubject,
  QUEUE_KINDS,
  requestStream,
  requestSubject,
  responseStream,
  responseSubject,
} from './subjects.ts'

export type NodeUser = {
  /** Of the node in the cluster record. */
  readonly index: number
  /** Public nkey, `U…`. */
  readonly nkey: string
}
export type ClientUser = {
  /** One word; the inbox of the client is named by it. */
  readonly name: string
  readonly nkey: string
}
export type NatsUsers = {
  readonly prefix: string
  /** The cluster id, 32 bytes. */
  readonly cluster: Uint8Array
  readonly nodes: readonly NodeUser[]
  readonly clients: readonly ClientUser[]
  /** Makes the streams and the bucket, once. */
  readonly setup: string
}

type User = {
  readonly about: string
  readonly nkey: string
  readonly publish: readonly string[]
  readonly subscribe: readonly string[]
}

function nodeUser({ prefix, cluster }: NatsUsers, { index, nkey }: NodeUser): User {
  const bucket = nodesBucket(prefix)
  const [requests, responses] = [requestStream(prefix), responseStream(prefix)]
  return {
    about: `node ${index}`,
    nkey,
    publish: [
      peerSubject(prefix, cluster, index, '*'),
      responseSubject(prefix, '*', '*'),
      `$KV.${bucket}.${nodeKey(cluster, index)}`,
      ...[requests, responses, `KV_${bucket}`].map((stream) => `$JS.API.STREAM.INFO.${stream}`),
      `$JS.API.CONSUMER.INFO.${requests}.*`,
      `$JS.API.CONSUMER.MSG.NEXT.${requests}.*`,
      `$JS.ACK.${requests}.>`,
      `$JS.API.DIRECT.GET.KV_${bucket}.$KV.${bucket}.${clusterWord(cluster)}.*`,
    ],
    subscribe: [peerSubject(prefix, cluster, '*', index), `${nodeInbox(cluster, index)}.>`],
  }
}

function clientUser({ prefix, cluster }: NatsUsers, { name, nkey }: ClientUser): User {
  return {
    about: `client ${name}`,
    nkey,
    publish: [
      ...QUEUE_KINDS.map((kind) => requestSubject(prefix, kind)),
      `$JS.API.DIRECT.GET.${responseStream(prefix)}`,
    ],
    subscribe: [responseSubject(prefix, '*', '*'), `${clientInbox(cluster, name)}.>`],
  }
}

const setupUser = ({ setup }: NatsUsers): User => ({
  about: 'setup: makes the streams and the bucket, then can go',
  nkey: setup,
  publish: ['$JS.API.STREAM.*.*', '$JS.API.CONSUMER.*.>', '$JS.API.INFO'],
  subscribe: ['_INBOX.>'],
})

const list = (subjects: readonly string[]): string =>
  `[\n${subjects.map((subject) => `          "${subject}"\n`).join('')}        ]`

const rendered = ({ about, nkey, publish, subscribe }: User): string => `    {
      # ${about}
      nkey: ${nkey}
      permissions: {
        publish: ${list(publish)}
        subscribe: ${list(subscribe)}
      }
    }
`

/** The `authorization` block of a server's configuration; words and keys in it are checked by the server. */
export function natsAuthorization(users: NatsUsers): string {
  const all = [
    ...users.nodes.map((node) => nodeUser(users, node)),
    ...users.clients.map((client) => clientUser(users, client)),
    setupUser(users),
  ]
  return `authorization: {\n  users: [\n${all.map(rendered).join('')}  ]\n}\n`
}
