import type { ErrorEntry } from './entry.ts'

export const mathErrors = {} as const satisfies Record<string, ErrorEntry>
