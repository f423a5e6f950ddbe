export { NODE_SETTINGS, type NodeConfig, nodeConfig, parseAddress } from './config.ts'
export { type RunningNode, startNode } from './daemon.ts'
export { joinCluster, makeCard, signProposal } from './enrol.ts'
export { type LocalNode, type LocalOptions, type NodeHsmConfig, openLocal } from './local.ts'
