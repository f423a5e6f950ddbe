/**
 * Approving and rejecting: what is signed is worked out here, from the request itself. The node's own
 * words about it are never shown in its place.
 */
import {
  type Approval,
  type Approver,
  decodeRequest,
  encodeApproval,
  intentHash,
  policyChangeHash,
  requestHash,
  type SignedRequest,
  signApproval,
  type UnsignedApproval,
  type WaitingRequestJson,
} from '@quorate/api'
import { type AcceptedRecord, approverOf } from '@quorate/auth'
import { equalBytes, Fault, fromHex, type Signer, toHex } from '@quorate/base'
import { describeView } from '@quorate/chains'
import { systemClock } from '@quorate/platform'
import { decodePolicy, policyToPlain } from '@quorate/policy'
import { accountOf, describeAccount } from './account.ts'
import type { Given } from './command.ts'
import { type Connection, devCluster } from './connection.ts'
import { readAdmin, readCredential } from './credentials.ts'
import { homeOf } from './dev/home.ts'
import { describePolicy } from './policy-words.ts'
import { readCluster } from './records.ts'
import { readTx } from './signing.ts'
import { findWallet } from './wallets.ts'

/** Who signs. */
export type Voice = {
  readonly approver: Approver
  readonly signer: Signer
  readonly cluster: AcceptedRecord
}

/**
 * The administrator of --admin, else the first client given that is a member of some group; of
 * `project`, where it is known what is to be approved for.
 * @throws cli/no-voice, cli/bad-file, cli/missing-argument
 */
export async function voiceOf(given: Given, project?: string): Promise<Voice> {
  const record = given.text('cluster')
  const files = given.list('client')
  const known =
    record === undefined ? await devCluster(homeOf(given)) : { cluster: readCluster(record) }
  const { cluster } = known
  const now = systemClock.now()
  const admin = given.text('admin')
  const candidates =
    admin === undefined
      ? ('credentials' in known
          ? known.credentials
          : files.map((file) => readCredential(file))
        ).map(({ client, signer, project: own }) => ({
          approver: { kind: 'client', value: client } as Approver,
          signer,
          own,
        }))
      : [adminVoice(admin)]
  for (const { approver, signer, own } of candidates) {
    const entry = approverOf(cluster.record, approver, { project: project ?? own, now })
    const isKnown = entry !== undefined && equalBytes(entry.key, signer.publicKey)
    if (isKnown && entry.groups.length > 0) return { approver, signer, cluster }
  }
  throw new Fault('cli/no-voice')
}

/** Administrators are of no project. */
function adminVoice(path: string): Pick<Voice, 'approver' | 'signer'> & { readonly own: string } {
  const { admin, signer } = readAdmin(path)
  return { approver: { kind: 'admin', value: admin }, signer, own: '' }
}

/** The approval of `subject` under a policy, signed. */
export const approve = (
  { approver, signer, cluster }: Voice,
  about: Pick<UnsignedApproval, 'subject' | 'policyHash' | 'decision'>,
  expiresAt: number,
): Promise<Approval> =>
  signApproval(signer, { v: 1, cluster: cluster.cluster, ...about, approver, expiresAt })

const HOUR_MS = 3_600_000

/** @throws cli/bad-value */
export const expiryOf = (given: Given): number =>
  systemClock.now() + (given.integer('hours', 1, 31 * 24) ?? 24) * HOUR_MS

/** A request that waits, as it was read here. */
export type ReadWaiting = {
  readonly subject: Uint8Array
  readonly policyHash: Uint8Array
  readonly project: string
  readonly lines: readonly string[]
}

/**
 * What the request asks for, by its own bytes.
 * @throws cli/does-not-verify where the node names another subject or policy, cli/unknown-wallet, chains/…
 */
export async function readWaiting(
  connection: Connection,
  item: WaitingRequestJson,
): Promise<ReadWaiting> {
  const request = decodeRequest(fromHex(item.request))
  const read = await readRequest(connection, request)
  const isSame =
    toHex(requestHash(request)) === item.hash &&
    toHex(read.subject) === item.waiting.intent &&
    toHex(read.policyHash) === item.waiting.policyHash
  if (!isSame || !equalBytes(request.cluster, connection.cluster.cluster))
    throw new Fault('cli/does-not-verify', {
      detail: 'the node says that another request waits than the one it shows',
    })
  return read
}

async function readRequest(
  connection: Connection,
  { client, body }: SignedRequest,
): Promise<ReadWaiting> {
  const { record } = connection.cluster
  const asker = `asked for by ${record.clients.find(({ id }) => id === client)?.name ?? client}`
  if (body.kind === 'sign') {
    const { wallet, network, path, unsigned, context, policyHash, project } = body.value
    const account = accountOf(await findWallet(connection, wallet), { network, path })
    const { view } = readTx(account, unsigned, context)
    return {
      subject: intentHash(body.value),
      policyHash,
      project,
      lines: [`Wallet ${describeAccount(account)}, ${asker}`, ...describeView(view)],
    }
  }
  if (body.kind !== 'changePolicy')
    throw new Fault('cli/does-not-verify', { detail: 'a request of that kind waits for nobody' })
  const { signed, project } = body.value
  const { change } = signed
  return {
    subject: policyChangeHash(change),
    policyHash: change.from,
    project,
    lines: [
      `Version ${change.version} of the policy of ${change.wallet}, ${asker}`,
      ...describePolicy(policyToPlain(decodePolicy(change.policy))),
    ],
  }
}

/** The hex that a node is given. */
export const approvalHex = (approval: Approval): string => toHex(encodeApproval(approval))
