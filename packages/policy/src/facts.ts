/** What policy is asked about. */
import type { TxView } from '@quorate/api'

export type Facts = {
  readonly view: TxView
  /** Id of the client that asks. */
  readonly initiator: string
  readonly isTestnet: boolean
  /** Milliseconds since the Unix epoch. */
  readonly now: number
  /** Id of the wallet. */
  readonly wallet: string
}

/** Whether everything is understood; bytes that are opaque never are. */
export const isComplete = ({ isComplete, kind }: TxView): boolean => isComplete && kind !== 'opaque'
