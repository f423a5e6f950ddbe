/** Addresses of the Bitcoin family, in every standard form; what they stand for is an output script. */
import { sha256 } from '@noble/hashes/sha2.js'
import { equalBytes, Fault } from '@quorate/base'
import { bech32, bech32m, createBase58check } from '@scure/base'
import { decodeCashaddr, encodeCashaddr } from './cashaddr.ts'
import { BITCOIN_NETWORKS, type BitcoinNetwork, type BitcoinParams } from './networks.ts'
import { ANCHOR, type ScriptKind, scriptOf, standardScript } from './script.ts'

const base58check = createBase58check(sha256)

/** The longest address of any form has 62 characters, and cashaddr 76 for the hashes taken here. */
const MAX_LENGTH = 100

/** The types of cashaddr, with the length of the hash. */
const CASH_KINDS: readonly (readonly [type: number, length: number, kind: ScriptKind])[] = [
  [0, 20, 'p2pkh'],
  [1, 20, 'p2sh'],
  [1, 32, 'p2sh32'],
]

/** The output script that `text`, an address of `network`, stands for. @throws chains/bad-address, chains/wrong-network */
export function scriptOfAddress(network: BitcoinNetwork, text: string): Uint8Array {
  const script = decode(network.params, text)
  if (script !== undefined) return script
  const home = BITCOIN_NETWORKS.find(({ params }) => decode(params, text) !== undefined)
  if (home === undefined) throw new Fault('chains/bad-address')
  throw new Fault('chains/wrong-network', {
    detail: `it is an address of ${home.slug}, not of ${network.slug}`,
  })
}

function decode(params: BitcoinParams, text: string): Uint8Array | undefined {
  if (text.length > MAX_LENGTH) return undefined
  try {
    const script = scriptIn(params, text)
    // Whatever has no spelling of its own on this network, such as an unknown witness version.
    return script === undefined || addressOf(script, params) === undefined ? undefined : script
  } catch {
    return undefined
  }
}

function scriptIn(params: BitcoinParams, text: string): Uint8Array | undefined {
  if (params.cashaddr !== undefined) {
    const payload = decodeCashaddr(params.cashaddr, text)
    const found = CASH_KINDS.find(
      ([type, length]) => type === payload?.type && length === payload.hash.length,
    )
    return found === undefined ? undefined : scriptOf(found[2], payload!.hash)
  }
  if (params.bech32 !== undefined && text.toLowerCase().startsWith(`${params.bech32}1`))
    return witnessScript(text)
  const bytes = base58check.decode(text)
  if (bytes.length !== 21) return undefined
  if (bytes[0] === params.pubKeyHash) return scriptOf('p2pkh', bytes.slice(1))
  return bytes[0] === params.scriptHash ? scriptOf('p2sh', bytes.slice(1)) : undefined
}

/** Version 0 is written in bech32, all later ones in bech32m (BIP-350). */
function witnessScript(text: string): Uint8Array {
  const isFirst = text.toLowerCase().split('1')[1]?.[0] === 'q'
  const codec = isFirst ? bech32 : bech32m
  const [version, ...words] = codec.decode(text as `${string}1${string}`).words
  const program = codec.fromWords(words)
  return Uint8Array.from([isFirst ? 0 : 0x50 + version!, program.length, ...program])
}

/** How `params` write the address of `script`; `undefined` if it has none. */
export function addressOf(script: Uint8Array, params: BitcoinParams): string | undefined {
  if (params.cashaddr !== undefined) return cashaddrOf(script, params.cashaddr)
  const standard = standardScript(script)
  switch (standard?.kind) {
    case 'p2pkh':
      return base58check.encode(Uint8Array.of(params.pubKeyHash, ...standard.payload))
    case 'p2sh':
      return base58check.encode(Uint8Array.of(params.scriptHash, ...standard.payload))
    case 'p2wpkh':
    case 'p2wsh':
    case 'p2tr':
      return segwitAddress(params.bech32, standard.kind === 'p2tr' ? 1 : 0, standard.payload)
    case 'p2sh32':
      return undefined
    case undefined:
      return equalBytes(script, ANCHOR)
        ? segwitAddress(params.bech32, 1, script.slice(2))
        : undefined
  }
}

function segwitAddress(
  prefix: string | undefined,
  version: 0 | 1,
  program: Uint8Array,
): string | undefined {
  if (prefix === undefined) return undefined
  const codec = version === 0 ? bech32 : bech32m
  return codec.encode(prefix, [version, ...codec.toWords(program)])
}

function cashaddrOf(script: Uint8Array, prefix: string): string | undefined {
  const standard = standardScript(script)
  const found = CASH_KINDS.find(([, , kind]) => kind === standard?.kind)
  return found === undefined
    ? undefined
    : encodeCashaddr(prefix, { type: found[0], hash: standard!.payload })
}
