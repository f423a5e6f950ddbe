import type { ErrorEntry } from './entry.ts'

export const enclaveErrors = {} as const satisfies Record<string, ErrorEntry>
