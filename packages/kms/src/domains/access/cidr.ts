/**
 * Addresses and the networks they may come from. IPv4 and IPv6 are told apart exactly; an IPv4 address
 * inside IPv6 (`::ffff:192.0.2.1`, which a dual-stack socket reports) is that IPv4 address.
 */
import { isIPv4, isIPv6 } from 'node:net'
import { Fault } from '@quorate/base'

/** Requests over the unix socket have no address; this word stands for them, in conditions too. */
export const LOCAL = 'local'

const MAPPED = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff]

/** 4 or 16 bytes of an address in text, or `undefined`. A zone (`%eth0`) is left out. */
export function addressBytes(text: string): Uint8Array | undefined {
  if (isIPv4(text)) return Uint8Array.from(text.split('.').map(Number))
  const plain = text.replace(/%.*$/, '')
  if (!isIPv6(plain)) return undefined
  const bytes = ipv6Bytes(plain)
  return MAPPED.every((byte, i) => bytes[i] === byte) ? bytes.subarray(12) : bytes
}

/** Of text that `isIPv6` accepts. */
function ipv6Bytes(text: string): Uint8Array {
  const [head = '', tail] = text.split('::')
  const front = groups(head)
  const back = tail === undefined ? [] : groups(tail)
  const bytes = new Uint8Array(16)
  bytes.set(front)
  bytes.set(back, 16 - back.length)
  return bytes
}

const groups = (text: string): readonly number[] =>
  text === ''
    ? []
    : text.split(':').flatMap((group) => {
        if (group.includes('.')) return group.split('.').map(Number)
        const value = Number.parseInt(group, 16)
        return [value >> 8, value & 0xff]
      })

/** Where a client is counted: its IPv4 address, or its IPv6 /64, for whoever has one has all of it. */
export function neighbourhood(address: string): string {
  const bytes = addressBytes(address)
  if (bytes === undefined) return address
  return bytes.subarray(0, bytes.length === 4 ? 4 : 8).join('.')
}

export type Network = {
  /** `undefined` stands for the unix socket. */
  readonly bytes: Uint8Array | undefined
  /** How many leading bits count. */
  readonly bits: number
}

/**
 * The network of `192.0.2.0/24`, `2001:db8::/32`, one address, or `local`.
 * @throws kms/bad-rule where it is none of these, or bits after the prefix are set
 */
export function parseNetwork(text: string): Network {
  if (text === LOCAL) return { bytes: undefined, bits: 0 }
  const [address = '', prefix, ...rest] = text.split('/')
  const bytes = address.includes('%') ? undefined : addressBytes(address)
  const most = (bytes?.length ?? 0) * 8
  const isDecimal = prefix === undefined || /^(0|[1-9]\d{0,2})$/.test(prefix)
  const bits = prefix === undefined ? most : Number(prefix)
  if (bytes === undefined || rest.length > 0 || !isDecimal || bits > most)
    throw new Fault('kms/bad-rule', {
      detail: 'an address list holds something that is no network',
    })
  if (bytes.some((byte, i) => (byte & ~maskByte(bits, i)) !== 0))
    throw new Fault('kms/bad-rule', {
      detail: 'a network has bits set after its prefix; write 10.0.0.0/8, not 10.0.0.1/8',
    })
  return { bytes, bits }
}

const maskByte = (bits: number, index: number): number => {
  const here = Math.min(8, Math.max(0, bits - 8 * index))
  return (0xff << (8 - here)) & 0xff
}

/** Whether the address (`undefined`: the unix socket) lies in the network. */
export function isInNetwork(address: Uint8Array | undefined, { bytes, bits }: Network): boolean {
  if (address === undefined || bytes === undefined) return address === bytes
  if (address.length !== bytes.length) return false
  for (let i = 0; 8 * i < bits; i++)
    if (((address[i]! ^ bytes[i]!) & maskByte(bits, i)) !== 0) return false
  return true
}

/** Whether all addresses of `inner` are in `outer`. */
export const isSubnet = (inner: Network, outer: Network): boolean =>
  isInNetwork(inner.bytes, outer) && inner.bits >= outer.bits

/** Whether no address is in both. */
export const areDisjoint = (a: Network, b: Network): boolean =>
  !isInNetwork(a.bytes, a.bits < b.bits ? { ...b, bits: a.bits } : b)

/** Whether the address in text is in one of the networks. Text that is no address is in none. */
export function isAllowedAddress(address: string, networks: readonly Network[]): boolean {
  const bytes = addressBytes(address)
  if (bytes === undefined && address !== LOCAL) return false
  return networks.some((network) => isInNetwork(bytes, network))
}
