/** The fields of what crosses between daemon and signer process, each with its bound. */
import { array, bytes, text } from '@quorate/base'

export const blob = bytes({ max: 1 << 20 })
export const hash32 = bytes(32)
/** Ids and names of ours. */
export const id = text(64)
/** A request as its client signed it. */
export const signedRequest = bytes({ max: 3 << 20 })
export const approvals = array(bytes({ max: 1 << 14 }), { max: 200 })
