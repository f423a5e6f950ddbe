import type { StatusJson } from '@quorate/api'

/** How far an HSM is trusted, and of which type it is. */
export const custodyText = ({ level, kind }: StatusJson['custody']): string => `${level} (${kind})`
