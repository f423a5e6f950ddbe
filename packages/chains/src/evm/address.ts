/** Ethereum addresses: the last 20 bytes of the Keccak-256 hash of a public key, written as EIP-55 says. */
import { keccak_256 } from '@noble/hashes/sha3.js'
import { Fault, fromHex, toHex, utf8 } from '@quorate/base'
import { encodeUncompressed } from '@quorate/math'
import { keyPoint } from '../ecdsa.ts'
import { encodeRlp, minimalBytes } from './rlp.ts'

const HASH_BYTES_LEFT_OUT = 12

/** The 20 bytes of the address of a compressed public key. @throws chains/bad-key */
export function addressOf(publicKey: Uint8Array): Uint8Array {
  const point = keyPoint(publicKey)
  if (point === null) throw new Fault('chains/bad-key', { detail: 'not a point of secp256k1' })
  return keccak_256(encodeUncompressed(point).subarray(1)).slice(HASH_BYTES_LEFT_OUT)
}

/** The address of the contract that `sender` (20 bytes) creates with that nonce. */
export const contractAddress = (sender: Uint8Array, nonce: bigint): Uint8Array =>
  keccak_256(encodeRlp([sender, minimalBytes(nonce)])).slice(HASH_BYTES_LEFT_OUT)

/** 20 bytes with `0x` and the checksum that lies in upper and lower case (EIP-55). */
export function formatAddress(address: Uint8Array): string {
  const digits = toHex(address)
  const hash = toHex(keccak_256(utf8(digits)))
  const cased = Array.from(digits, (digit, i) =>
    Number.parseInt(hash[i]!, 16) >= 8 ? digit.toUpperCase() : digit,
  )
  return `0x${cased.join('')}`
}

/** The 20 bytes of `text`: with the right checksum, or in one case throughout, which has none. @throws chains/bad-address */
export function decodeAddress(text: string): Uint8Array {
  if (!/^0x[0-9a-fA-F]{40}$/.test(text))
    throw new Fault('chains/bad-address', { detail: 'not 0x and 40 hexadecimal digits' })
  const digits = text.slice(2)
  const address = fromHex(digits.toLowerCase())
  const hasChecksum = digits !== digits.toLowerCase() && digits !== digits.toUpperCase()
  if (hasChecksum && formatAddress(address) !== text)
    throw new Fault('chains/bad-address', { detail: 'its checksum is wrong' })
  return address
}
