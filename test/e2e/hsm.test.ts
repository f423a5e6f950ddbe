/** Three nodes whose identity keys and share sealing live in three PKCS#11 tokens, one each. */
import assert from 'node:assert/strict'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import type { WalletJson } from '@quorate/api'
import { fromHex, isFault, Secret, utf8 } from '@quorate/base'
import { solanaTransfer } from '@quorate/enclave/testing'
import { type HsmConfig, initSoftToken, openHsm, type SoftToken } from '@quorate/hsm'
import { systemClock } from '@quorate/platform'
import { getText } from '../support/get-text.ts'
import { ProcessCluster } from '../support/process-cluster.ts'

const PIN = 'correct-horse-7'

const root = mkdtempSync(join(tmpdir(), 'quorate-tokens-'))
const tokens: SoftToken[] = []
let cluster: ProcessCluster | undefined
let reason: string | undefined

const configOf = (token: SoftToken, index: number): HsmConfig => ({
  type: 'softhsm',
  environment: 'development',
  library: token.library,
  token: { label: `node-${index}` },
  env: [`SOFTHSM2_CONF=${token.configuration}`],
})
const pinFile = join(root, 'pin')

before(async () => {
  try {
    for (const index of [1, 2, 3])
      tokens.push(
        await initSoftToken({
          directory: join(root, `token-${index}`),
          label: `node-${index}`,
          pin: new Secret(utf8(PIN)),
        }),
      )
  } catch (error) {
    if (!isFault(error, 'hsm/library-missing')) throw error
    reason = 'SoftHSM is not installed (Debian: apt-get install softhsm2)'
    return
  }
  writeFileSync(pinFile, PIN, { mode: 0o600 })
  cluster = await ProcessCluster.start(3, {
    hsm: (index) => ({ config: configOf(tokens[index - 1]!, index), pinFile }),
  })
})
after(async () => {
  await cluster?.close()
  rmSync(root, { recursive: true, force: true })
})

const sign = async (wallet: WalletJson): Promise<readonly string[]> => {
  const { result } = await cluster!.sign(wallet, solanaTransfer(fromHex(wallet.groupKey), 1n))
  if (result?.kind !== 'sign') return assert.fail('it was not signed')
  return result.signatures.map(({ signature }) => signature)
}

test('they make a wallet and sign, and do so again after a restart', async (t) => {
  if (cluster === undefined) return t.skip(reason)
  const wallet = await cluster.createWallet('solana-devnet')
  assert.equal((await sign(wallet)).length, 1)
  const { custody } = await cluster.client(cluster.nodes[0]!).call('getStatus', {})
  assert.deepEqual(custody, { kind: 'softhsm', level: 'software' })
  for (const node of cluster.nodes) await cluster.kill(node)
  for (const node of cluster.nodes) await cluster.launch(node)
  await cluster.untilConnected()
  assert.equal((await sign(wallet)).length, 1)
})

test('the metrics of a node tell what its token did, and hold no secret', async (t) => {
  if (cluster === undefined) return t.skip(reason)
  for (const { index, config } of cluster.nodes) {
    const { status, text } = await getText(config.http.socketPath!, '/metrics')
    assert.equal(status, 200)
    const figure = (sample: string): number =>
      Number(
        text
          .split('\n')
          .find((line) => line.startsWith(`${sample} `))
          ?.split(' ')[1],
      )
    const component = `component="node-${index}"`
    assert.equal(figure(`quorate_hsm_component_health{${component}}`), 1)
    assert.equal(figure(`quorate_hsm_error_rate{${component}}`), 0)
    assert.ok(figure(`quorate_hsm_operations_per_second{${component}}`) >= 0)
    assert.ok(figure(`quorate_hsm_pool_sessions{${component},state="open"}`) >= 1)
    // The epoch key was signed by the identity key, which is in the token.
    const sign = `${component},operation="sign"`
    const signed = figure(`quorate_hsm_operations_total{${sign},outcome="done"}`)
    assert.ok(signed >= 1)
    assert.equal(figure(`quorate_hsm_operation_seconds_bucket{${sign},le="+Inf"}`), signed)
    for (const secret of [PIN, 'quorate-identity-', 'quorate-store-', root])
      assert.ok(!text.includes(secret), secret)
  }
})

test('each token holds two keys, of one store each, and nothing lies beside the data', async (t) => {
  if (cluster === undefined) return t.skip(reason)
  const stores = new Set<string>()
  for (const [i, token] of tokens.entries()) {
    const pin = new Secret(utf8(PIN))
    const hsm = await openHsm(configOf(token, i + 1), { clock: systemClock, pin })
    const labels = (await hsm.provider.list()).map(({ label }) => label).sort()
    await hsm.close()
    assert.equal(labels.length, 2)
    const [identity = '', store = ''] = labels
    assert.equal(identity.replace('quorate-identity-', ''), store.replace('quorate-store-', ''))
    stores.add(store)
    assert.ok(!existsSync(join(cluster.nodes[i]!.directory, 'hsm')))
  }
  assert.equal(stores.size, 3)
})

test('the PIN is in no argument, no environment and no log', async (t) => {
  if (cluster === undefined) return t.skip(reason)
  for (const { pid, signerPid, log } of cluster.nodes) {
    for (const process of [pid, signerPid])
      for (const file of ['cmdline', 'environ'])
        assert.ok(!readFileSync(`/proc/${process}/${file}`, 'latin1').includes(PIN), file)
    assert.ok(!log.join('\n').includes(PIN))
  }
})

test('a node with the token of another, or with a wrong PIN, does not start', async (t) => {
  if (cluster === undefined) return t.skip(reason)
  const [first, second] = cluster.nodes
  await cluster.stop(second!)
  const { config } = second!
  await assert.rejects(
    cluster.launch({ ...second!, config: { ...config, hsm: first!.config.hsm } }),
    /enclave\/store-mismatch/,
  )
  const wrong = join(root, 'wrong')
  writeFileSync(wrong, 'not-the-pin', { mode: 0o600 })
  await assert.rejects(
    cluster.launch({ ...second!, config: { ...config, hsm: { ...config.hsm, pinFile: wrong } } }),
    /hsm\/pin-incorrect/,
  )
  await cluster.launch(second!)
  await cluster.untilConnected()
})
