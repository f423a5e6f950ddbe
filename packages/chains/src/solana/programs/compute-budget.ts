/** The Compute Budget program. Layout: `solana_compute_budget_interface` (Borsh, little-endian). */
import { ByteReader } from '../../encoding/reader.ts'
import { type Budget, type Effect, effect, type ProgramReader } from '../effect.ts'

const KIND = { heapFrame: 1, unitLimit: 2, unitPrice: 3, loadedBytes: 4 } as const

/** An instruction that is not understood is never without an effect here: the fee is then unknown. */
export const readComputeBudget: ProgramReader = ({ accounts, data }): Effect => {
  const budget = accounts.length > 0 ? undefined : budgetOf(data)
  return budget === undefined
    ? effect({ budget: { kind: 'unknown' }, isWhole: false })
    : effect({ budget })
}

function budgetOf(data: Uint8Array): Budget | undefined {
  const [kind] = data
  const body = new ByteReader(data.slice(1))
  if (kind === KIND.unitPrice && data.length === 9)
    return { kind: 'price', microLamports: body.u64() }
  if (data.length !== 5) return undefined
  if (kind === KIND.unitLimit) return { kind: 'units', units: body.u32() }
  return kind === KIND.heapFrame || kind === KIND.loadedBytes ? { kind: 'limit' } : undefined
}
