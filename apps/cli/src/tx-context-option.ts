import type { Option } from './command.ts'

export const CONTEXT_OPTION: Option = {
  kind: 'text',
  value: 'FILE',
  about: 'what the document does not say: tokens (Ethereum), loaded accounts (Solana), as JSON',
}
