/**
 * What a client signs is the whole request, for one purpose: no field of it can be changed, and no
 * signature that was given for something else counts for it.
 */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import {
  decodeApproval,
  encodeApproval,
  encodeRequest,
  type Intent,
  intentHash,
  type RequestBody,
  type SignedRequest,
  signApproval,
  signRequest,
} from '@quorate/api'
import { newId } from '@quorate/base'
import type { WalletRow } from '@quorate/enclave'
import {
  refreshBody,
  solanaIntent,
  solanaTransfer,
  TestCluster,
  walletBody,
} from '@quorate/enclave/testing'
import { systemRandom } from '@quorate/platform'

let cluster: TestCluster
let row: WalletRow
let genuine: SignedRequest
let intent: Intent
before(async () => {
  cluster = await TestCluster.start(3)
  const { operator, signer } = cluster.clients
  const body = walletBody(cluster, operator, 'solana-devnet')
  const made = await cluster.submit(cluster.nodes[0]!, await cluster.request(operator, body))
  assert.ok(made.kind === 'wallet')
  row = made.value
  await cluster.settle()
  const sign = solanaIntent(cluster, signer, row, 1_000n)
  assert.ok(sign.kind === 'sign')
  intent = sign.value
  genuine = await signRequest(signer.key, cluster.clusterId, signer.id, sign)
})
after(() => cluster.close())

/** Every node says no, and none of them begins anything. */
async function assertNobodyTakes(request: SignedRequest): Promise<void> {
  const begun = (): number => cluster.nodes.reduce((sum, { disk }) => sum + disk.burnt.length, 0)
  const before = begun()
  for (const node of cluster.nodes)
    await assert.rejects(async () => node.signer.submit({ request: encodeRequest(request) }), {
      code: 'auth/unauthenticated',
    })
  assert.equal(begun(), before)
}

const changes: readonly (readonly [string, () => Partial<Intent>])[] = [
  ['the derivation path', () => ({ path: [7] })],
  ['the transaction', () => ({ unsigned: solanaTransfer(new Uint8Array(32).fill(3), 9n) })],
  ['the network', () => ({ network: 'solana-testnet' })],
  ['the generation', () => ({ generation: 2 })],
  ['the policy that it was made for', () => ({ policyHash: new Uint8Array(32) })],
  ['its end', () => ({ expiresAt: intent.expiresAt + 1 })],
  ['its id', () => ({ requestId: newId('req', cluster.time.now(), systemRandom) })],
]

for (const [what, change] of changes)
  test(`a request with another value of ${what}`, () =>
    assertNobodyTakes({ ...genuine, body: { kind: 'sign', value: { ...intent, ...change() } } }))

test('signatures that the client gave for something else', async () => {
  const { signer } = cluster.clients
  const other = async (body: RequestBody, id = cluster.clusterId): Promise<Uint8Array> =>
    (await signRequest(signer.key, id, signer.id, body)).signature
  const approval = await signApproval(signer.key, {
    v: 1,
    cluster: cluster.clusterId,
    subject: intentHash(intent),
    policyHash: intent.policyHash,
    decision: 'approve',
    approver: { kind: 'client', value: signer.id },
    expiresAt: intent.expiresAt,
  })
  const { proof } = decodeApproval(encodeApproval(approval))
  assert.ok(proof.kind === 'ed25519')
  const signatures = [
    await other(walletBody(cluster, signer, 'solana-devnet')),
    await other(refreshBody(cluster, signer, row)),
    await other(genuine.body, new Uint8Array(32).fill(1)),
    await signer.key.sign(intentHash(intent)),
    await signer.key.sign(intent.unsigned),
    proof.value,
  ]
  for (const signature of signatures) await assertNobodyTakes({ ...genuine, signature })
})

test('the request as it was made is taken', async () => {
  const signed = await cluster.submit(cluster.nodes[1]!, encodeRequest(genuine))
  assert.equal(signed.kind, 'transaction')
})
