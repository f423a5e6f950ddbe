export { type Credential, NodeClient, type NodeClientOptions, type OnProgress } from './client.ts'
export { type Endpoint, type HttpCall, hostOf, send } from './transport.ts'
