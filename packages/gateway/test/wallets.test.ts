import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Fault, type FaultCode, isFault } from '@quorate/base'
import type { QuorateClient, VerifiedWallet } from '@quorate/sdk'
import { LabelledWallets } from '#src/bridge/wallets.js'
import { readGrantFile } from '#src/grants.js'

const shown = (groupKey: string, id = 'wal_1'): VerifiedWallet =>
  ({ wallet: { id, label: 'till', groupKey } }) as unknown as VerifiedWallet

/** Nodes of which each shows what it is told to, or fails so. */
const nodes = (...answers: readonly (VerifiedWallet | FaultCode)[]): readonly QuorateClient[] =>
  answers.map(
    (answer) =>
      ({
        wallet: () =>
          typeof answer === 'string' ? Promise.reject(new Fault(answer)) : Promise.resolve(answer),
      }) as unknown as QuorateClient,
  )
const { signal } = new AbortController()
const find = (need: number, ...answers: readonly (VerifiedWallet | FaultCode)[]) =>
  new LabelledWallets(nodes(...answers), need).find('till', signal)
const fails = (code: FaultCode) => (error: unknown) => isFault(error, code)

test('a key counts when enough nodes show the same one', async () => {
  const { wallet } = await find(2, shown('aa'), 'sdk/unreachable', shown('aa'))
  assert.equal(wallet.groupKey, 'aa')
  await assert.rejects(
    find(2, shown('aa'), 'sdk/unreachable', 'sdk/unknown-wallet'),
    fails('gateway/nodes-disagree'),
  )
  // One liar among them is enough to stop.
  await assert.rejects(
    find(2, shown('aa'), shown('aa'), shown('bb')),
    fails('gateway/nodes-disagree'),
  )
  await assert.rejects(find(2, shown('aa'), shown('aa', 'wal_2')), fails('gateway/nodes-disagree'))
})

test('where no node shows it, the fault of the nodes is the answer', async () => {
  await assert.rejects(
    find(2, 'sdk/unknown-wallet', 'sdk/unknown-wallet'),
    fails('sdk/unknown-wallet'),
  )
})

test('a key that was given out once is held to', async () => {
  const answers: (VerifiedWallet | FaultCode)[] = [shown('aa'), shown('aa')]
  const clients = nodes(...answers).map((_, i) => ({
    wallet: () => Promise.resolve(answers[i]!),
  })) as unknown as readonly QuorateClient[]
  const wallets = new LabelledWallets(clients, 2)
  await wallets.find('till', signal)
  answers[0] = shown('bb')
  answers[1] = shown('bb')
  await assert.rejects(wallets.find('till', signal), fails('sdk/other-wallet'))
})

test('a file that is no grant is refused', () => {
  for (const text of ['', '{}', 'null', '{"policy":{"template":"a","params":"zz"},"grant":"ab"}'])
    assert.throws(() => readGrantFile(text), fails('gateway/bad-grant'))
})
