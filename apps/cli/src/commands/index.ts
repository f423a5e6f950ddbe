/** Every command, in the order in which help lists them. */
import type { Command } from '../command.ts'
import { approvalCommands } from './approval.ts'
import { backupCommands } from './backup.ts'
import { clusterCommands } from './cluster.ts'
import { devCommands } from './dev.ts'
import { evidenceCommands } from './evidence.ts'
import { gatewayCommands } from './gateway.ts'
import { hsmCommands } from './hsm.ts'
import { hsmBackupCommands } from './hsm-backup.ts'
import { hsmFailoverCommands } from './hsm-failover.ts'
import { hsmRotateCommands } from './hsm-rotate.ts'
import { hsmWatchCommands } from './hsm-watch.ts'
import { kmsSecretCommands } from './kms.ts'
import { kmsAccessCommands } from './kms-access.ts'
import { completionCommand } from './kms-completion.ts'
import { kmsIdentityCommands } from './kms-identities.ts'
import { kmsKeyCommands } from './kms-keys.ts'
import { kmsServerCommands } from './kms-server.ts'
import { messageCommands } from './message.ts'
import { natsCommands } from './nats.ts'
import { nodeCommands } from './node.ts'
import { policyCommands } from './policy.ts'
import { txCommands } from './tx.ts'
import { walletCommands } from './wallet.ts'

export const COMMANDS: readonly Command[] = [
  ...devCommands,
  ...walletCommands,
  ...policyCommands,
  ...approvalCommands,
  ...txCommands,
  ...messageCommands,
  ...clusterCommands,
  ...evidenceCommands,
  ...nodeCommands,
  ...backupCommands,
  ...natsCommands,
  ...gatewayCommands,
  ...hsmCommands,
  ...hsmFailoverCommands,
  ...hsmWatchCommands,
  ...hsmRotateCommands,
  ...hsmBackupCommands,
  ...kmsServerCommands,
  ...kmsSecretCommands,
  ...kmsIdentityCommands,
  ...kmsAccessCommands,
  ...kmsKeyCommands,
  completionCommand(() => COMMANDS),
]
