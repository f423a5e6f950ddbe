/** Many signatures in one call: in order, a few at a time, each with its own result and its own record. */
import { Fault, isFault } from '@quorate/base'
import type { SignInput } from '../provider.ts'

export const MAX_BATCH = 1000
/** As many as the sessions of a device that stay open, and some that wait. */
const AT_ONCE = 8

export type BatchResult =
  | { readonly signature: Uint8Array }
  /** Code of the fault that kept this one, and no other, from being signed. */
  | { readonly code: string }

/**
 * One result for each input, in their order. What fails does not keep the others from being signed.
 * @throws hsm/bad-argument for more than 1000 inputs, before any is signed
 */
export async function signBatch(
  inputs: readonly SignInput[],
  sign: (input: SignInput) => Promise<Uint8Array>,
): Promise<readonly BatchResult[]> {
  if (inputs.length > MAX_BATCH)
    throw new Fault('hsm/bad-argument', { detail: `at most ${MAX_BATCH} at once` })
  const results: BatchResult[] = []
  let next = 0
  const work = async (): Promise<void> => {
    for (let at = next++; at < inputs.length; at = next++)
      results[at] = await resultOf(sign(inputs[at]!))
  }
  await Promise.all(Array.from({ length: Math.min(AT_ONCE, inputs.length) }, work))
  return results
}

async function resultOf(signing: Promise<Uint8Array>): Promise<BatchResult> {
  try {
    return { signature: await signing }
  } catch (error) {
    if (!isFault(error) || error.class === 'Bug') throw error
    return { code: error.code }
  }
}
