/**
 * What Google Cloud HSM tells of the making of a key version: the statement of the module (Marvell, formerly
 * Cavium) and three chains of certificates, as the verifier of such statements takes them.
 */
import { X509Certificate } from 'node:crypto'
import { ServiceFailure } from '../failure.ts'
import type { VendorStatement } from '../service.ts'

const FORMATS: ReadonlySet<unknown> = new Set(['CAVIUM_V1_COMPRESSED', 'CAVIUM_V2_COMPRESSED'])
const MAX_CERTIFICATES = 12

type Given = {
  readonly format?: unknown
  readonly content?: unknown
  readonly certChains?: {
    readonly caviumCerts?: readonly string[] | null
    readonly googleCardCerts?: readonly string[] | null
    readonly googlePartitionCerts?: readonly string[] | null
  } | null
}

/** @throws ServiceFailure unsupported where there is none in a form that is known, wrong-result */
export function statementIn(given: Given | null | undefined): VendorStatement {
  const { format, content, certChains } = given ?? {}
  if (!FORMATS.has(format) || !(content instanceof Uint8Array))
    throw new ServiceFailure('unsupported')
  const { caviumCerts, googleCardCerts, googlePartitionCerts } = certChains ?? {}
  // One certificate may be in more than one chain.
  const texts = new Set(
    [caviumCerts, googleCardCerts, googlePartitionCerts].flatMap((chain) => chain ?? []),
  )
  if (texts.size > MAX_CERTIFICATES) throw new ServiceFailure('wrong-result')
  return {
    format: 'marvell-hsm',
    blob: new Uint8Array(content),
    certificates: [...texts].map(derOf),
  }
}

function derOf(pem: string): Uint8Array {
  try {
    return new Uint8Array(new X509Certificate(pem).raw)
  } catch {
    throw new ServiceFailure('wrong-result')
  }
}
