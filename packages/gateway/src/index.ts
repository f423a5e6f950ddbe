export { type Caller, newToken, readCallers } from './callers.ts'
export { BRIDGE_PORT, GATEWAY_SETTINGS, type GatewayConfig, gatewayConfig } from './config.ts'
export {
  type GrantFile,
  type GrantFor,
  grantFileText,
  grantsIn,
  readGrantFile,
} from './grants.ts'
export {
  checkGateway,
  type GatewayOptions,
  type RunningGateway,
  startGateway,
} from './server.ts'
