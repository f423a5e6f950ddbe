/** Ed25519 public keys and signatures as they stand in signed documents. */
import { bytes, type Codec, Fault, mapped, toHex } from '@quorate/base'

/** Every encoding of a point of order 1, 2, 4 or 8, with the sign bit cleared. */
const SMALL_ORDER: ReadonlySet<string> = new Set([
  '0000000000000000000000000000000000000000000000000000000000000000',
  '0100000000000000000000000000000000000000000000000000000000000000',
  '26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05',
  'c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a',
  'ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
  'edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
  'eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
])

function refuseSmallOrder(key: Uint8Array): Uint8Array {
  const plain = key.slice()
  plain[31]! &= 0x7f
  // Under such a key one signature fits many messages, and common verifiers accept it.
  if (SMALL_ORDER.has(toHex(plain)))
    throw new Fault('base/malformed', { detail: 'an Ed25519 key of small order' })
  return key
}

/** 32 bytes that are no point of small order. Whether they are a point at all shows when a signature is checked. */
export const ed25519Key: Codec<Uint8Array> = mapped(bytes(32), refuseSmallOrder, refuseSmallOrder)

export const ed25519Signature: Codec<Uint8Array> = bytes(64)
