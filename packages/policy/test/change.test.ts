import assert from 'node:assert/strict'
import { generateKeyPairSync, sign, verify } from 'node:crypto'
import { test } from 'node:test'
import {
  type Approver,
  type ApproverEntry,
  type PolicyChange,
  policyChangeHash,
  type SignedPolicyChange,
  signApproval,
} from '@quorate/api'
import { type FaultCode, type Id, isFault, toHex } from '@quorate/base'
import {
  acceptChange,
  type ChangeCheck,
  changeQuorum,
  encodePolicy,
  firstPolicy,
  type PolicyInForce,
  policyHash,
} from '@quorate/policy'
import { allow, NOW, policyOf } from './sample.ts'

const WALLET = 'wal_01jgfjjt000000000000000000' as Id<'wal'>
const CLUSTER = new Uint8Array(32).fill(7)
const fails = (code: FaultCode) => (error: unknown) => isFault(error, code)

const people = new Map(
  ['ann', 'ben', 'cat'].map((name) => [name, generateKeyPairSync('ed25519')] as const),
)
const keyOf = (name: string): Uint8Array =>
  new Uint8Array(people.get(name)!.publicKey.export({ format: 'der', type: 'spki' }).subarray(-32))
const signerOf = (name: string) => ({
  scheme: 'ed25519' as const,
  publicKey: keyOf(name),
  sign: (message: Uint8Array) =>
    Promise.resolve(new Uint8Array(sign(null, message, people.get(name)!.privateKey))),
})

const first = firstPolicy(WALLET, {
  ...policyOf(allow({ isTestnet: true })),
  change: { group: 'board', need: 2 },
})
const next = { ...policyOf(allow({ isTestnet: false })), change: { group: 'board', need: 1 } }

const changeOf = (from: PolicyInForce, change: Partial<PolicyChange> = {}): PolicyChange => ({
  v: 1,
  wallet: WALLET,
  from: from.hash,
  version: from.version + 1,
  policy: encodePolicy(next),
  createdAt: NOW,
  expiresAt: NOW + 1000,
  ...change,
})

const check: ChangeCheck = {
  cluster: CLUSTER,
  now: NOW,
  adminThreshold: 2,
  resolve: ({ kind, value }: Approver): ApproverEntry | undefined =>
    people.has(value)
      ? { key: keyOf(value), groups: kind === 'admin' ? ['admins'] : ['board'] }
      : undefined,
  verify: (_, message, signature) =>
    [...people.values()].some(({ publicKey }) => verify(null, message, publicKey, signature)),
}

async function signed(
  change: PolicyChange,
  names: readonly string[],
  options: {
    readonly from?: PolicyInForce
    readonly kind?: Approver['kind']
    readonly decision?: 'approve' | 'reject'
  } = {},
): Promise<SignedPolicyChange> {
  const { from = first, kind = 'client', decision = 'approve' } = options
  const approvals = await Promise.all(
    names.map((value) =>
      signApproval(signerOf(value), {
        v: 1,
        cluster: CLUSTER,
        subject: policyChangeHash(change),
        policyHash: from.hash,
        decision,
        approver: { kind, value } as Approver,
        expiresAt: NOW + 500,
      }),
    ),
  )
  return { change, approvals }
}

test('a change takes force with the quorum that the policy before it names', async () => {
  // Labels of clients are ids; of admins they are names, so these stand in for both here.
  const admin = { kind: 'admin' } as const
  const byAdmins = firstPolicy(WALLET, policyOf(allow({ isTestnet: true })))
  assert.deepEqual(changeQuorum(byAdmins.policy, 2), { group: 'admins', need: 2 })
  const change = changeOf(byAdmins)
  const two = await signed(change, ['ann', 'ben'], { ...admin, from: byAdmins })
  const made = acceptChange(byAdmins, two, check)
  assert.deepEqual([made.version, toHex(made.hash)], [2, toHex(policyHash(next))])
  for (const names of [[], ['ann'], ['ann', 'ann']])
    assert.throws(() => {
      const approvals = names.map(() => two.approvals[0]!)
      return acceptChange(byAdmins, { change, approvals }, check)
    }, fails('policy/not-approved'))
})

test('members of other groups do not count, and a rejection ends it', async () => {
  const admin = { kind: 'admin' } as const
  const change = changeOf(first)
  const admins = await signed(change, ['ann', 'ben'], admin)
  assert.throws(() => acceptChange(first, admins, check), fails('policy/not-approved'))
  const inBoard: ChangeCheck = {
    ...check,
    resolve: ({ value }) => ({ key: keyOf(value), groups: ['board'] }),
  }
  assert.equal(acceptChange(first, admins, inBoard).version, 2)
  const no = await signed(change, ['cat'], { ...admin, decision: 'reject' })
  const mixed = { change, approvals: [...admins.approvals, ...no.approvals] }
  assert.throws(() => acceptChange(first, mixed, inBoard), fails('policy/rejected'))
})

test('a rejection by somebody outside the quorum does nothing', async () => {
  const change = changeOf(first)
  const yes = await signed(change, ['ann', 'ben'], { kind: 'admin' })
  const no = await signed(change, ['cat'], { kind: 'admin', decision: 'reject' })
  const catOutside: ChangeCheck = {
    ...check,
    resolve: ({ value }) => ({ key: keyOf(value), groups: value === 'cat' ? ['ops'] : ['board'] }),
  }
  const mixed = { change, approvals: [...yes.approvals, ...no.approvals] }
  assert.equal(acceptChange(first, mixed, catOutside).version, 2)
})

test('only the very next change of this wallet takes force, in time, with sound approvals', async () => {
  const inBoard: ChangeCheck = {
    ...check,
    resolve: ({ value }) => ({ key: keyOf(value), groups: ['board'] }),
  }
  const accept = async (
    change: PolicyChange,
    changed: Partial<ChangeCheck> = {},
    from?: PolicyInForce,
  ): Promise<PolicyInForce> =>
    acceptChange(
      first,
      await signed(change, ['ann', 'ben'], { kind: 'admin', ...(from && { from }) }),
      { ...inBoard, ...changed },
    )
  assert.equal((await accept(changeOf(first))).version, 2)
  const other = firstPolicy(WALLET, policyOf())
  const refused: readonly (readonly [FaultCode, () => Promise<unknown>])[] = [
    ['policy/not-next', () => accept(changeOf(first, { version: 3 }))],
    ['policy/not-next', () => accept(changeOf(first, { from: other.hash }))],
    [
      'policy/not-next',
      () => accept(changeOf(first, { wallet: `${WALLET.slice(0, -1)}1` as Id<'wal'> })),
    ],
    ['policy/change-expired', () => accept(changeOf(first), { now: NOW + 1000 })],
    ['api/approval-expired', () => accept(changeOf(first), { now: NOW + 500 })],
    ['api/other-subject', () => accept(changeOf(first), {}, other)],
    ['api/other-subject', () => accept(changeOf(first), { cluster: new Uint8Array(32) })],
    ['api/unknown-approver', () => accept(changeOf(first), { resolve: () => undefined })],
    ['api/bad-signature', () => accept(changeOf(first), { verify: () => false })],
    ['base/malformed', () => accept(changeOf(first, { policy: Uint8Array.of(0xf6) }))],
  ]
  for (const [code, act] of refused) await assert.rejects(act, fails(code))
})
