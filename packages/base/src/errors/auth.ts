import type { ErrorEntry } from './entry.ts'

export const authErrors = {} as const satisfies Record<string, ErrorEntry>
