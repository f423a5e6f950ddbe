/** What a client's intent says and what policy says to it, as this node reads both. */
import { bug, type Clock } from '@quorate/base'
import type { Peers } from './peers.ts'
import type { Policies } from './policies.ts'
import {
  type CheckedRequest,
  checkIntent,
  type ReadTransaction,
  readTransaction,
} from './requests.ts'
import type { Wallets } from './wallets.ts'

export type ReadIntent = ReadTransaction & { readonly policyHash: Uint8Array }

export type IntentReader = {
  /** An intent that names wallet and policy as they are now. @throws chains/…, enclave/other-… and others */
  read(checked: CheckedRequest): ReadIntent
  /** The same of one that was signed already, whatever has become of the wallet since. @throws chains/…, enclave/… */
  reread(checked: CheckedRequest): ReadIntent
}

/** Reads intents by the wallets and policies as they are then. */
export function intentReader(o: {
  readonly wallets: Wallets
  readonly policies: Policies
  readonly peers: Peers
  readonly clock: Clock
}): IntentReader {
  const { wallets, policies, peers, clock } = o
  const read = ({ request: { body }, client }: CheckedRequest, isNew: boolean): ReadIntent => {
    if (body.kind !== 'sign') return bug('only intents are read')
    const { record } = wallets.active(body.value.wallet, body.value.project)
    const { policy, hash } = policies.of(record)
    if (isNew) checkIntent(body.value, record, hash)
    const transaction = readTransaction(
      body.value,
      record,
      policy,
      client,
      peers.cluster.record,
      clock.now(),
    )
    return { ...transaction, policyHash: hash }
  }
  return { read: (checked) => read(checked, true), reread: (checked) => read(checked, false) }
}
