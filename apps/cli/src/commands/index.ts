/** Every command, in the order in which help lists them. */
import type { Command } from '../command.ts'
import { clusterCommands } from './cluster.ts'
import { devCommands } from './dev.ts'
import { evidenceCommands } from './evidence.ts'
import { hsmCommands } from './hsm.ts'
import { messageCommands } from './message.ts'
import { nodeCommands } from './node.ts'
import { txCommands } from './tx.ts'
import { walletCommands } from './wallet.ts'

export const COMMANDS: readonly Command[] = [
  ...devCommands,
  ...walletCommands,
  ...txCommands,
  ...messageCommands,
  ...clusterCommands,
  ...evidenceCommands,
  ...nodeCommands,
  ...hsmCommands,
]
