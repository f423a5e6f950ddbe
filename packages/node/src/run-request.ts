/** Hands a signed request to the signer and words what it comes to for the API. */
import { encodeRequest, type SignedRequest, toRfc3339, type WaitingJson } from '@quorate/api'
import { Fault, toHex } from '@quorate/base'
import type { Outcome, WaitingFor } from '@quorate/enclave'
import type { LocalNode } from './local.ts'
import type { Reached } from './operations.ts'
import { signResult, walletJson } from './wallet-json.ts'

export const runRequest =
  ({ signer }: LocalNode) =>
  async (request: SignedRequest): Promise<Reached> =>
    reachedBy(request, await signer.calls.submit({ request: encodeRequest(request) }))

/** What the outcome of a request is to its client. */
export function reachedBy({ body }: SignedRequest, outcome: Outcome): Reached {
  switch (outcome.kind) {
    case 'waiting':
      return { waiting: waitingJson(outcome.value) }
    case 'policy': {
      const { wallet, version, policyHash } = outcome.value
      const result = { wallet, version, policyHash: toHex(policyHash) }
      return { result: { kind: 'changePolicy', ...result } }
    }
    case 'wallet': {
      const { wallet, generation } = outcome.value
      const record = toHex(outcome.value.public)
      const receipts = outcome.value.receipts.map(toHex)
      return body.kind === 'refresh'
        ? { result: { kind: 'refresh', wallet, generation, record, receipts } }
        : {
            result: {
              kind: 'createWallet',
              wallet: walletJson(outcome.value),
              record,
              receipts,
            },
          }
    }
    case 'transaction':
      if (body.kind !== 'sign') throw new Fault('node/internal')
      return { result: signResult(outcome.value, body.value) }
  }
}

export const waitingJson = ({
  subject,
  policyHash,
  approvals,
  notBefore,
  expiresAt,
}: WaitingFor): WaitingJson => ({
  intent: toHex(subject),
  policyHash: toHex(policyHash),
  approvals,
  ...(notBefore !== null && { notBefore: toRfc3339(notBefore) }),
  expiresAt: toRfc3339(expiresAt),
})
