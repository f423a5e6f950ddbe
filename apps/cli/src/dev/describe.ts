import { table } from '../output.ts'
import type { Home } from './home.ts'
import type { DevState } from './state.ts'

/** The nodes of a cluster, one line each. */
export const describeState = (home: Home, { nodes, threshold }: DevState): readonly string[] => [
  ...table(
    nodes.map(({ index, pid, signerPid, socket, port }) => [
      `  node ${index}`,
      `daemon ${pid}, signer ${signerPid}`,
      port === null ? socket : `http://127.0.0.1:${port}`,
    ]),
  ),
  `New wallets need ${threshold} of ${nodes.length} signers. Data: ${home.dev}`,
]
