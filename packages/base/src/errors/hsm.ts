import type { ErrorEntry } from './entry.ts'

export const hsmErrors = {} as const satisfies Record<string, ErrorEntry>
