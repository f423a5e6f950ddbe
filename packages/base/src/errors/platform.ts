import type { ErrorEntry } from './entry.ts'

export const platformErrors = {} as const satisfies Record<string, ErrorEntry>
