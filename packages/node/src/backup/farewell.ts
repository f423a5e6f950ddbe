/**
 * What a machine is told that another has replaced: instead of a greeting the cluster records that it
 * has not heard of. They carry the admins' signatures, so that no peer can make a node stop by a lie.
 */
import {
  type AcceptedRecord,
  acceptChain,
  decodeSignedRecord,
  type FormerNode,
  isGreetingOf,
} from '@quorate/auth'
import {
  array,
  bytes,
  concatBytes,
  decode,
  encode,
  equalBytes,
  isFault,
  TAGS,
  utf8,
} from '@quorate/base'
import { verifyEd25519 } from '@quorate/enclave'

/** What fits into a greeting. */
const MAX_BYTES = 60 * 1024
const PREFIX = utf8(TAGS.farewell)
const records = array(bytes({ max: MAX_BYTES }), { min: 1, max: 1000 })

/** What to answer to a greeting of a machine that was replaced; undefined for any other, or where it would not fit. */
export function farewellTo(
  hello: Uint8Array,
  { former }: { readonly former: readonly FormerNode[] },
  chain: readonly Uint8Array[],
): Uint8Array | undefined {
  if (!former.some(({ id }) => isGreetingOf(hello, id))) return undefined
  // It has the first record at least, and refuses what does not follow its own.
  const farewell = concatBytes(PREFIX, encode(records, chain.slice(1)))
  return farewell.length <= MAX_BYTES ? farewell : undefined
}

/**
 * The cluster's records with those of a farewell, where they replace the node `nodeId`, in a frame of any
 * kind; undefined for everything else.
 */
export function readFarewell(
  frame: Uint8Array,
  chain: readonly Uint8Array[],
  nodeId: string,
): { readonly chain: readonly Uint8Array[]; readonly cluster: AcceptedRecord } | undefined {
  if (!equalBytes(frame.subarray(0, PREFIX.length), PREFIX)) return undefined
  try {
    const told = decode(records, frame.subarray(PREFIX.length), { maxBytes: MAX_BYTES })
    const all = [chain[0]!, ...told]
    const cluster = acceptChain(all.map(decodeSignedRecord), { verify: verifyEd25519 })
    return cluster.former.some(({ id }) => id === nodeId) ? { chain: all, cluster } : undefined
  } catch (error) {
    if (isFault(error)) return undefined
    throw error
  }
}
