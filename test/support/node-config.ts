/** The configuration of a node as it crosses to a process of its own: JSON, and the PIN by a file. */
import { type HsmConfig, pinFromFile } from '@quorate/hsm'
import type { NodeConfig } from '@quorate/node'

export type ProcessHsm = { readonly config: HsmConfig; readonly pinFile?: string }
export type ProcessConfig = Omit<NodeConfig, 'hsm'> & { readonly hsm: ProcessHsm }

/** The configuration of a node with its PIN in memory, which the node wipes. */
export const nodeConfigOf = ({ hsm, ...config }: ProcessConfig): NodeConfig => ({
  ...config,
  hsm: {
    config: hsm.config,
    ...(hsm.pinFile !== undefined && { pin: pinFromFile(hsm.pinFile) }),
  },
})
