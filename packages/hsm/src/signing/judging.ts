/** Judging a signature for a caller that waits for it: a program without anything else to do does not end meanwhile. */
import type { PublicKey, SignatureJudge } from '../host/signatures.ts'
import type { SignInput } from '../provider.ts'

const LONG_MS = 1 << 30

/** As `judge.holds`, whose threads by themselves do not keep the process alive. */
export async function judged(
  judge: SignatureJudge,
  key: PublicKey,
  input: SignInput,
  signature: Uint8Array,
): Promise<boolean> {
  const hold = setInterval(() => undefined, LONG_MS)
  try {
    return await judge.holds(key, input, signature)
  } finally {
    clearInterval(hold)
  }
}
