/** Public changes to a group key at signing time. Shares stay those of the untweaked key. */
import { bytes, type Codec, type CodecType, field, oneOf, optional, record } from '@quorate/base'

const fields = { kind: field(1, oneOf('taproot')), merkleRoot: optional(2, bytes(32)) }

/**
 * `taproot`: the output key of BIP-341, Q = P + H_TapTweak(x(P) ‖ merkleRoot)·G. Without a root the
 * key commits to having no script path. Applying it twice gives another key: a key that a protocol
 * has tweaked already must not list its tweak.
 */
export type Tweak = CodecType<
  Codec<{ readonly kind: 'taproot'; readonly merkleRoot?: Uint8Array | undefined }>
>
export const tweakCodec: Codec<Tweak> = record(fields)
