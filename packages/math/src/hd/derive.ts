/**
 * Children of a public key, without its private key (BIP-32 CKDpub; SLIP-10 for secp256k1 is the
 * same). A child is its parent plus a public multiple of G, so holders of shares of the parent add
 * the tweak to reach the child.
 *
 * Whoever knows the chain code and the private key of *one* child knows the parent's: with shared
 * keys, no private key of a child may ever leave as a whole.
 */
import { hmac } from '@noble/hashes/hmac.js'
import { sha512 } from '@noble/hashes/sha2.js'
import { concatBytes, Fault } from '@quorate/base'
import { fromBytesBe, mod } from '../field.ts'
import type { Element } from '../group/group.ts'
import { secp256k1 } from '../group/secp256k1.ts'
import { checkPath } from './path.ts'

const CHAIN_CODE_BYTES = 32

export type ChildKey = {
  /** Child = parent + tweak·G: the sum of I_L over all steps, modulo the group order. */
  readonly tweak: bigint
  readonly publicKey: Element
  /** 32 bytes, of the child. */
  readonly chainCode: Uint8Array
}

/**
 * The descendant of an element of secp256k1 along `path`, the parent itself for no step.
 * `chainCode` is 32 bytes. Variable-time: public inputs only.
 * @throws math/hardened-path, math/bad-path, math/bad-chain-code
 * @throws math/no-child for an index that BIP-32 says to skip, once in 2^127
 */
export function deriveChild(
  publicKey: Element,
  chainCode: Uint8Array,
  path: readonly number[],
): ChildKey {
  if (chainCode.length !== CHAIN_CODE_BYTES) throw new Fault('math/bad-chain-code')
  checkPath(path)
  return path.reduce<ChildKey>(
    (parent, index) => {
      const data = concatBytes(secp256k1.encode(parent.publicKey), bigEndian(index))
      return stepDown(parent, hmac(sha512, parent.chainCode, data))
    },
    { tweak: 0n, publicKey, chainCode: chainCode.slice() },
  )
}

/**
 * The child that the 64 bytes I = I_L ‖ I_R of HMAC-SHA512 lead to.
 * @throws math/no-child if I_L is no scalar or leads to the identity
 */
export function stepDown({ tweak, publicKey }: ChildKey, output: Uint8Array): ChildKey {
  const left = fromBytesBe(output.subarray(0, 32))
  if (left >= secp256k1.order) throw new Fault('math/no-child')
  const child = secp256k1.add(publicKey, secp256k1.mulBase(left))
  if (secp256k1.isIdentity(child)) throw new Fault('math/no-child')
  return {
    tweak: mod(tweak + left, secp256k1.order),
    publicKey: child,
    chainCode: output.slice(32),
  }
}

function bigEndian(index: number): Uint8Array {
  const out = new Uint8Array(4)
  new DataView(out.buffer).setUint32(0, index)
  return out
}
