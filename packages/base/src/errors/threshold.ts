import type { ErrorEntry } from './entry.ts'

export const thresholdErrors = {} as const satisfies Record<string, ErrorEntry>
