/** The code of whatever was thrown. */
import { isFault } from '@quorate/base'

export const codeOf = (error: unknown): string => (isFault(error) ? error.code : 'node/internal')
