export { type Client, softwareKey, type Tamper, TestCluster, TestNode, type Wire } from './cluster.ts'
export { solanaIntent, walletBody } from './requests.ts'
