/** Wallets that pay so much within an hour and no more. */
import type { PolicyChoice } from '@quorate/api'
import { chooseTemplate } from '@quorate/policy'

/** Payments are of whole units, their fee included. */
export const UNIT = 100_000n
/** What Solana takes for one signature, which limits count. */
export const FEE = 5_000n
/** The one recipient of `solanaTransfer`: 32 bytes of 7 in base 58. */
const RECIPIENT = 'US517G5965aydkZ46HS38QLi7UQiSojurfbQfKCELFx'

/** Payments to one recipient, at most so much within an hour; larger ones ask two treasurers. */
export const limitedTo = (limit: bigint, approveAbove = 10n ** 12n): PolicyChoice =>
  chooseTemplate('treasury', {
    networks: ['solana-devnet'],
    recipients: [RECIPIENT],
    maxFee: { SOL: '1000000' },
    limit: { SOL: String(limit) },
    within: '1h',
    approveAbove: { SOL: String(approveAbove) },
    approvers: { group: 'treasurers', need: 2 },
    delayAbove: { SOL: '1000000000000' },
    delay: '60s',
    change: { group: 'treasurers', need: 2 },
  })
