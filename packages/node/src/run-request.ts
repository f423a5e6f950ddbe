/** Hands a signed request to the signer and words its outcome for the API. */
import { encodeRequest, type OperationResult, type SignedRequest } from '@quorate/api'
import { Fault, toHex } from '@quorate/base'
import type { LocalNode } from './local.ts'
import { signResult, walletJson } from './wallet-json.ts'

export const runRequest =
  ({ signer }: LocalNode) =>
  async (request: SignedRequest): Promise<OperationResult> => {
    const outcome = await signer.calls.submit({ request: encodeRequest(request) })
    const { body } = request
    if (outcome.kind === 'wallet') {
      const { wallet, generation } = outcome.value
      const record = toHex(outcome.value.public)
      const receipts = outcome.value.receipts.map(toHex)
      return body.kind === 'refresh'
        ? { kind: 'refresh', wallet, generation, record, receipts }
        : { kind: 'createWallet', wallet: walletJson(outcome.value), record, receipts }
    }
    if (body.kind !== 'sign') throw new Fault('node/internal')
    return signResult(outcome.value, body.value)
  }
