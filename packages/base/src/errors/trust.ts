import type { ErrorEntry } from './entry.ts'

export const trustErrors = {} as const satisfies Record<string, ErrorEntry>
