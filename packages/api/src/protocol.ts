/**
 * The protocols that a wallet's key is made and used with. What is signed and stored holds the exact
 * name; people and JSON may also use a name that it went by before.
 */
import { Fault } from '@quorate/base'

export const PROTOCOLS = ['frost', 'cggmp24'] as const
export type Protocol = (typeof PROTOCOLS)[number]

/** CGGMP24 is the 2024 revision of the paper that first appeared in 2021. */
const ALIASES: { readonly [A in Alias]: Protocol } = { cggmp21: 'cggmp24' }
type Alias = 'cggmp21'
export type ProtocolName = Protocol | Alias

/** Every name that `parseProtocol` takes, the exact ones first. */
export const PROTOCOL_NAMES: readonly ProtocolName[] = [
  ...PROTOCOLS,
  ...(Object.keys(ALIASES) as Alias[]),
]

/** What the names of a protocol's suites begin with. */
const SUITE_PREFIXES: { readonly [P in Protocol]: string } = {
  frost: 'FROST-',
  cggmp24: 'CGGMP24-',
}

/** The exact name of the protocol that `name` means. @throws api/unknown-protocol */
export function parseProtocol(name: string): Protocol {
  const exact = PROTOCOLS.find((each) => each === name)
  if (exact !== undefined) return exact
  if (Object.hasOwn(ALIASES, name)) return ALIASES[name as Alias]
  throw new Fault('api/unknown-protocol', { detail: `there are ${PROTOCOL_NAMES.join(', ')}` })
}

/** The protocol that an exact suite such as `FROST-ED25519-SHA512-v1` belongs to. @throws api/unknown-protocol */
export function protocolOfSuite(suite: string): Protocol {
  const protocol = PROTOCOLS.find((each) => suite.startsWith(SUITE_PREFIXES[each]))
  if (protocol === undefined)
    throw new Fault('api/unknown-protocol', {
      detail: `suites begin with ${PROTOCOLS.map((each) => SUITE_PREFIXES[each]).join(' or ')}`,
    })
  return protocol
}
