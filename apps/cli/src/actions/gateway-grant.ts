/** gateway grant: an admin's signature under the permission that one wallet signs digests. */
import {
  type BlindGrant,
  decodeBlindGrant,
  encodeBlindGrant,
  type PolicyChoice,
  signBlindGrant,
  toRfc3339,
} from '@quorate/api'
import { Fault, isName, parseId } from '@quorate/base'
import { findAdapter } from '@quorate/chains'
import { type GrantFile, grantFileText, readGrantFile } from '@quorate/gateway'
import { systemClock } from '@quorate/platform'
import { chooseTemplate, instantiate, policyHash } from '@quorate/policy'
import type { Given, Run } from '../command.ts'
import { readAdmin } from '../credentials.ts'
import { readBytes, writeNew } from '../files.ts'
import { readCluster } from '../records.ts'

const DAY_MS = 24 * 3_600_000
const DEFAULT_DAYS = 7
const MAX_DAYS = 30

export const grant: Run = async (given, output) => {
  const { admin, signer } = readAdmin(given.required('admin'))
  const path = given.text('grant')
  const { policy, signed } = path === undefined ? newGrant(given) : fileOf(path)
  if (signed.signatures.some((each) => each.admin === admin))
    throw new Fault('cli/bad-value', { detail: `${admin} has signed it already` })
  const signatures = [...signed.signatures, await signBlindGrant(signed.grant, admin, signer)]
  const text = grantFileText({ policy, signed: { ...signed, signatures } })
  const out = given.text('out')
  if (out !== undefined) writeNew(out, text)
  const about = decodeBlindGrant(signed.grant)
  output.note(
    `Wallet ${about.label} on ${about.network}, ${about.threshold} signers, will sign whatever it is given:`,
    'no limit and no list of recipients can hold for what nobody reads.',
  )
  output.result(
    {
      wallet: about.label,
      network: about.network,
      threshold: about.threshold,
      expiresAt: toRfc3339(about.expiresAt),
      signedBy: signatures.map((each) => each.admin),
      file: out ?? null,
      grant: text,
    },
    () => (out === undefined ? [text.trimEnd()] : [`signed by ${admin}: ${out}`]),
  )
}

const fileOf = (path: string): GrantFile => readGrantFile(Buffer.from(readBytes(path)).toString())

/** What the options say, signed by nobody yet. @throws cli/…, chains/…, policy/…, auth/… */
function newGrant(given: Given): GrantFile {
  const { cluster, record } = readCluster(given.required('cluster'))
  const label = given.required('wallet')
  if (!isName(label))
    throw new Fault('cli/bad-value', {
      detail: '--wallet takes letters, digits, - _ and ., up to 64',
    })
  const initiators = given.list('initiator').map((each) => parseId('cli', each))
  if (initiators.length === 0) throw new Fault('cli/missing-argument', { detail: '--initiator' })
  const suite = given.text('suite')
  const adapter = findAdapter(given.required('network'), suite)
  const size = record.nodes.length
  const policy: PolicyChoice = chooseTemplate('blind', { initiators })
  const grantOf: BlindGrant = {
    v: 1,
    cluster,
    project: parseId('prj', given.required('project')),
    label,
    network: adapter.network.slug,
    suite: suite ?? adapter.suite,
    threshold: given.integer('threshold', 2, size) ?? Math.floor(size / 2) + 1,
    policyHash: policyHash(instantiate(policy, record.environment)),
    expiresAt: systemClock.now() + (given.integer('days', 1, MAX_DAYS) ?? DEFAULT_DAYS) * DAY_MS,
  }
  return { policy, signed: { grant: encodeBlindGrant(grantOf), signatures: [] } }
}
