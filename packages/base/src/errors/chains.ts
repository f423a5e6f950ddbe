import type { ErrorEntry } from './entry.ts'

export const chainsErrors = {} as const satisfies Record<string, ErrorEntry>
