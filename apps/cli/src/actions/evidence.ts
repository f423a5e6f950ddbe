/** evidence verify and list: who is convicted of what, by messages that the culprit signed itself. */
import { existsSync, readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { toRfc3339 } from '@quorate/api'
import type { AcceptedRecord } from '@quorate/auth'
import { ERRORS, Fault, isFault, isFaultCode } from '@quorate/base'
import { type EvidenceVerdict, verifyEvidenceFile } from '@quorate/enclave'
import type { Given, Run } from '../command.ts'
import { homeOf, requireCluster } from '../dev/home.ts'
import { readBytes } from '../files.ts'
import { table } from '../output.ts'
import { readCluster } from '../records.ts'

const DEFAULT_LIMIT = 20
const MAX_LIMIT = 1000

export const verify: Run = async (given, output) => {
  const file = given.argument(0)
  const bytes = readBytes(file)
  const cluster = clusterOf(given)
  output.progress('verifying the evidence')
  const verdict = judge(file, bytes, cluster)
  output.result({ isValid: true, ...verdict }, () => describe(verdict))
}

/** The cluster record in the file that is named, or that of the development cluster. */
function clusterOf(given: Given): AcceptedRecord {
  const file = given.text('cluster')
  if (file !== undefined) return readCluster(file)
  const home = homeOf(given)
  requireCluster(home)
  return readCluster(home.clusterFile)
}

/** @throws cli/bad-file for bytes that are no evidence, cli/does-not-verify for any that convicts nobody */
function judge(file: string, bytes: Uint8Array, cluster: AcceptedRecord): EvidenceVerdict {
  try {
    return verifyEvidenceFile(bytes, cluster)
  } catch (cause) {
    if (!isFault(cause)) throw cause
    if (cause.code.startsWith('base/'))
      throw new Fault('cli/bad-file', { detail: `${file} is no evidence`, cause })
    throw new Fault('cli/does-not-verify', { detail: cause.message, cause })
  }
}

const PURPOSES: { readonly [purpose in EvidenceVerdict['purpose']]: string } = {
  aux: 'when auxiliary information was made',
  keygen: 'when a key was made',
  refresh: 'when shares were refreshed',
  sign: 'when something was signed',
  repair: 'when a share was repaired',
  pool: 'when nonces or presignatures were made ahead',
}

/** Such as `a party sent a proof that does not verify`. */
const deedOf = (claim: string): string =>
  isFaultCode(claim) ? ERRORS[claim].sentence : 'a party broke the protocol'

const describe = ({
  purpose,
  protocol,
  wallet,
  claim,
  culprits,
}: EvidenceVerdict): readonly string[] => [
  'The evidence holds: messages that the culprits signed themselves convict them.',
  ...table([
    ...culprits.map(({ party, nodeId }) => ['  culprit', `node ${party}, ${nodeId}`]),
    ['  deed', `${deedOf(claim)} (${claim})`],
    ['  occasion', `${PURPOSES[purpose]}, in ${protocol}, for ${wallet}`],
  ]),
]

type Kept = { readonly node: string; readonly file: string; readonly keptAt: number }

export const list: Run = async (given, output) => {
  const limit = given.integer('limit', 1, MAX_LIMIT) ?? DEFAULT_LIMIT
  const cluster = clusterOf(given)
  const kept = placesOf(given, cluster)
    .flatMap(filesIn)
    .sort((a, b) => b.keptAt - a.keptAt)
  const items = kept.slice(0, limit).map(({ node, file, keptAt }) => {
    output.progress(`verifying ${file}`)
    return { node, file, keptAt: toRfc3339(keptAt), ...lookAt(file, cluster) }
  })
  output.result({ items, total: kept.length }, () =>
    items.length === 0
      ? ['There is no evidence: no node has been caught breaking a protocol.']
      : [
          ...table(
            items.map(({ keptAt, node, file, summary }) => [
              keptAt,
              `kept by ${node}`,
              summary,
              file,
            ]),
          ),
          ...(items.length < kept.length
            ? [`${kept.length - items.length} older ones are not shown; see --limit.`]
            : []),
        ],
  )
}

/** Data directories with the names of their nodes. @throws cli/file-not-found */
function placesOf(given: Given, cluster: AcceptedRecord): readonly (readonly [string, string])[] {
  const data = given.text('data')
  if (data !== undefined) {
    if (!existsSync(data)) throw new Fault('cli/file-not-found', { detail: data })
    return [['this node', data]]
  }
  const home = homeOf(given)
  return cluster.record.nodes.map(({ index }) => [`node ${index}`, home.node(index)] as const)
}

function filesIn([node, directory]: readonly [string, string]): readonly Kept[] {
  const evidence = join(directory, 'evidence')
  if (!existsSync(evidence)) return []
  return readdirSync(evidence)
    .filter((name) => name.endsWith('.cbor'))
    .map((name) => join(evidence, name))
    .map((file) => ({ node, file, keptAt: Math.trunc(statSync(file).mtimeMs) }))
}

type Look = {
  /** `null` for a file that convicts nobody. */
  readonly verdict: EvidenceVerdict | null
  readonly summary: string
}

/** What a file proves, if anything. */
function lookAt(file: string, cluster: AcceptedRecord): Look {
  try {
    const verdict = judge(file, readBytes(file), cluster)
    const nodes = verdict.culprits.map(({ party }) => `node ${party}`).join(' and ')
    return { verdict, summary: `${nodes}: ${deedOf(verdict.claim)}` }
  } catch (error) {
    if (!isFault(error)) throw error
    return { verdict: null, summary: `does not verify (${error.code})` }
  }
}
