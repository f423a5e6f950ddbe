import type { ErrorEntry } from './entry.ts'

export const policyErrors = {} as const satisfies Record<string, ErrorEntry>
