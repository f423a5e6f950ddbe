/**
 * policy propose, approve and apply: a change of a wallet's policy goes from hand to hand as a file.
 * Whoever approves it reads the new policy out of the file itself, and signs nothing else.
 */
import {
  decodeSignedChange,
  encodeSignedChange,
  MAX_LIFETIME_MS,
  policyChangeHash,
  type SignedPolicyChange,
  toRfc3339,
} from '@quorate/api'
import { equalBytes, Fault, fromHex, isFault, newId, toHex } from '@quorate/base'
import { systemClock, systemRandom } from '@quorate/platform'
import { decodePolicy, encodePolicy, policyToPlain } from '@quorate/policy'
import { expiryOf, approve as signWith, voiceOf } from '../approving.ts'
import type { Run } from '../command.ts'
import { connect } from '../connection.ts'
import { readBytes, writeNew } from '../files.ts'
import { readPolicyFile } from '../policy-file.ts'
import { describePolicy } from '../policy-words.ts'
import { progressText } from '../progress.ts'
import { findWallet, walletId } from '../wallets.ts'

const DAY_MS = 86_400_000

export const propose: Run = async (given, output) => {
  const name = given.required('wallet')
  const out = given.required('out')
  const days = given.integer('days', 1, 31) ?? 7
  const policy = readPolicyFile(given.argument(0))
  const connection = await connect(given)
  const wallet = await findWallet(connection, name)
  const now = systemClock.now()
  const current = await connection.client.call('getPolicy', { params: { walletId: wallet.id } })
  const change = {
    v: 1,
    wallet: walletId(wallet),
    from: fromHex(current.policyHash),
    version: (current.version ?? 1) + 1,
    policy: encodePolicy(policy),
    createdAt: now,
    expiresAt: now + days * DAY_MS,
  } as const
  writeNew(out, encodeSignedChange({ change, approvals: [] }))
  const hash = toHex(policyChangeHash(change))
  output.result({ change: hash, wallet: wallet.id, version: change.version }, () =>
    describeChange({ change, approvals: [] }),
  )
  output.note(`Those who approve it: quorate policy approve ${out} --out FILE`)
}

export const approve: Run = async (given, output) => {
  const signed = readChange(given.argument(0))
  const out = given.required('out')
  const decision = given.flag('reject') ? ('reject' as const) : ('approve' as const)
  const voice = await voiceOf(given)
  const { change } = signed
  const about = { subject: policyChangeHash(change), policyHash: change.from, decision }
  // What is approved is shown before it is signed.
  if (!output.isJson) output.note(...describeChange(signed))
  const approval = await signWith(voice, about, Math.min(change.expiresAt, expiryOf(given)))
  writeNew(out, encodeSignedChange({ change, approvals: [...signed.approvals, approval] }))
  output.result({ change: toHex(about.subject), approver: voice.approver.value, decision }, () => [
    `${voice.approver.value}: ${decision}`,
  ])
}

export const apply: Run = async (given, output) => {
  const signed = merged(given.arguments.map(readChange))
  const connection = await connect(given)
  const { client } = connection
  const wallet = await findWallet(connection, signed.change.wallet)
  const now = systemClock.now()
  const body = {
    kind: 'changePolicy',
    value: {
      v: 1,
      requestId: newId('req', now, systemRandom),
      project: client.credentialFor('changePolicy')!.project,
      wallet: walletId(wallet),
      signed,
      createdAt: now,
      expiresAt: now + MAX_LIFETIME_MS,
    },
  } as const
  const { result } = await client.carryOut('changePolicy', body, {
    onProgress: (operation) => output.progress(progressText(operation, 'changing the policy')),
  })
  if (result?.kind !== 'changePolicy') throw new Fault('sdk/bad-answer')
  output.result(result, () => [
    `${wallet.label} has version ${result.version} of its policy, hash ${result.policyHash}`,
  ])
}

const describeChange = ({ change, approvals }: SignedPolicyChange): readonly string[] => [
  `Version ${change.version} of the policy of ${change.wallet}`,
  `in place of ${toHex(change.from)}, until ${toRfc3339(change.expiresAt)}`,
  ...describePolicy(policyToPlain(decodePolicy(change.policy))),
  ...approvals.map(({ approver, decision }) => `${approver.value}: ${decision}`),
]

/** @throws cli/bad-file, cli/file-not-found */
function readChange(path: string): SignedPolicyChange {
  try {
    return decodeSignedChange(readBytes(path))
  } catch (cause) {
    if (isFault(cause) && cause.code.startsWith('base/'))
      throw new Fault('cli/bad-file', { detail: `${path} is no change of a policy`, cause })
    throw cause
  }
}

/** One change with the approvals of all files. @throws cli/bad-file where they are of different changes */
function merged(files: readonly SignedPolicyChange[]): SignedPolicyChange {
  const { change } = files[0]!
  const hash = policyChangeHash(change)
  if (!files.every((each) => equalBytes(policyChangeHash(each.change), hash)))
    throw new Fault('cli/bad-file', { detail: 'the files are of different changes' })
  const byApprover = new Map(
    files
      .flatMap(({ approvals }) => approvals)
      .map((each) => [`${each.approver.kind} ${each.approver.value}`, each]),
  )
  return { change, approvals: [...byApprover.values()] }
}
