export { type Credential, NodeClient, type NodeClientOptions, type OnProgress } from './client.ts'
export { type Endpoint, hostOf, type HttpCall, send } from './transport.ts'
