/** The configuration of a node as it crosses to a process of its own: JSON, and what is secret by files. */
import { readFileSync } from 'node:fs'
import { Secret } from '@quorate/base'
import { type HsmConfig, pinFromFile } from '@quorate/hsm'
import type { NodeConfig } from '@quorate/node'

export type ProcessHsm = { readonly config: HsmConfig; readonly pinFile?: string }
export type ProcessKms = { readonly backupUrl: string; readonly tokenFile: string }
export type ProcessConfig = Omit<NodeConfig, 'hsm' | 'backup'> & {
  readonly hsm: ProcessHsm
  readonly backup?:
    | { readonly place?: string; readonly kms?: ProcessKms; readonly periodMs: number }
    | undefined
}

const withToken = ({ backupUrl, tokenFile }: ProcessKms) => ({
  backupUrl,
  backupAuthToken: new Secret(readFileSync(tokenFile, 'utf8').trim()),
})

/** The configuration of a node with its PIN in memory, which the node wipes. */
export const nodeConfigOf = ({ hsm, backup, ...config }: ProcessConfig): NodeConfig => ({
  ...config,
  backup: backup && { ...backup, kms: backup.kms && withToken(backup.kms) },
  hsm: {
    config: hsm.config,
    ...(hsm.pinFile !== undefined && { pin: pinFromFile(hsm.pinFile) }),
  },
})
