/**
 * The signers in the place of those of viem, ethers and Solana kit, each in the code that the library's
 * own README shows, with a running cluster behind them and a network that judges what is sent.
 */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import type { RequestBody, WalletJson } from '@quorate/api'
import { isFault } from '@quorate/base'
import { QUICK_ECDSA } from '@quorate/enclave/testing'
import { clusterWallet, ethersSigner, kitSigner, viemSource, type WalletSigner } from '@quorate/sdk'
import * as kit from '@solana/kit'
import { getTransferSolInstruction } from '@solana-program/system'
import * as ethers from 'ethers'
import * as viem from 'viem'
import { toAccount } from 'viem/accounts'
import { sepolia } from 'viem/chains'
import { type RpcServer, serveRpc } from '../support/json-rpc-server.ts'
import { type LocalEvm, startEvm } from '../support/local-evm.ts'
import { ProcessCluster } from '../support/process-cluster.ts'
import { tinyToken } from '../support/tiny-token.ts'

const PAYEE = '0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed'
/** Deploys the token: policy of the cluster's wallet refuses code that nobody can read. */
const deployer = new ethers.Wallet(`0x${'17'.repeat(32)}`)

let cluster: ProcessCluster
let till: WalletJson
let evm: LocalEvm
before(async () => {
  cluster = await ProcessCluster.start(3)
  till = await createEcdsaWallet()
  evm = await startEvm([till.address, deployer.address])
})
after(async () => {
  await evm.close()
  await cluster.close()
})

async function createEcdsaWallet(): Promise<WalletJson> {
  const { value } = cluster.walletBody('solana-devnet') as Extract<
    RequestBody,
    { kind: 'createWallet' }
  >
  const { result } = await cluster.client(cluster.nodes[0]!).carryOut('createWallet', {
    kind: 'createWallet',
    value: { ...value, protocol: 'cggmp24', suite: QUICK_ECDSA, network: 'ethereum-sepolia' },
  })
  assert.ok(result?.kind === 'createWallet')
  return result.wallet
}

const signerOf = ({ id, address }: WalletJson): Promise<WalletSigner> =>
  clusterWallet({ client: cluster.client(cluster.nodes[1]!), wallet: id, address })

test('viem: a wallet client sends coins and signs a message', async () => {
  const transport = viem.http(evm.url)
  const client = viem
    .createWalletClient({
      account: toAccount(viemSource(viem, await signerOf(till))),
      chain: sepolia,
      transport,
    })
    .extend(viem.publicActions)
  const value = viem.parseEther('0.001')
  const hash = await client.sendTransaction({ to: PAYEE, value })
  const { status, from } = await client.waitForTransactionReceipt({ hash, pollingInterval: 50 })
  assert.deepEqual([status, viem.getAddress(from)], ['success', till.address])
  assert.equal(await client.getBalance({ address: PAYEE }), value)

  const message = 'hello world'
  const signature = await client.signMessage({ message })
  const address = viem.getAddress(till.address)
  assert.ok(await viem.verifyMessage({ address, message, signature }))
})

test('ethers: a contract is called, and tokens move', async () => {
  const provider = new ethers.JsonRpcProvider(evm.url, undefined, { polling: true })
  provider.pollingInterval = 50
  try {
    const bytecode = tinyToken(till.address, 1000)
    const deployed = await deployer.connect(provider).sendTransaction({ data: bytecode })
    const { contractAddress } = (await deployed.wait())!
    const abi = [
      'function transfer(address to, uint256 amount) returns (bool)',
      'function balanceOf(address owner) view returns (uint256)',
    ]
    const signer = ethersSigner(ethers, await signerOf(till), provider)
    const contract = new ethers.Contract(contractAddress!, abi, signer)
    const tx = (await contract['transfer']!(PAYEE, 42)) as ethers.TransactionResponse
    const receipt = await tx.wait()
    assert.deepEqual([receipt?.status, receipt?.from], [1, till.address])
    const balances = await Promise.all(
      [till.address, PAYEE].map((owner) => contract['balanceOf']!(owner) as Promise<bigint>),
    )
    assert.deepEqual(balances, [958n, 42n])

    // More than it has: the local chain says so before anybody is asked to sign.
    await assert.rejects(contract['transfer']!(PAYEE, 959), (error) =>
      ethers.isError(error, 'CALL_EXCEPTION'),
    )
    // Code that nobody can read is not signed: the policy of the wallet is in force here, too.
    await assert.rejects(signer.sendTransaction({ data: bytecode }), (error) =>
      isFault(error, 'policy/denied'),
    )
  } finally {
    provider.destroy()
  }
})

test('Solana kit: a transfer is signed by all who must, and sent', async () => {
  const sent: string[] = []
  const node: RpcServer = await serveRpc({
    getLatestBlockhash: () => ({
      context: { slot: 1 },
      value: { blockhash: 'EETubP5AKHgjPAhzPAFcb8BAY1hMH639CWCFTqi3hq1k', lastValidBlockHeight: 9 },
    }),
    sendTransaction(wire: string) {
      sent.push(wire)
      const bytes = kit.getBase64Encoder().encode(wire)
      return kit.getSignatureFromTransaction(kit.getTransactionDecoder().decode(bytes))
    },
  })
  try {
    const rpc = kit.createSolanaRpc(node.url)
    const signer = kitSigner(kit, await signerOf(await cluster.createWallet('solana-devnet')))
    const { value: latestBlockhash } = await rpc.getLatestBlockhash().send()
    const message = kit.pipe(
      kit.createTransactionMessage({ version: 0 }),
      (tx) => kit.setTransactionMessageFeePayerSigner(signer, tx),
      (tx) => kit.setTransactionMessageLifetimeUsingBlockhash(latestBlockhash, tx),
      (tx) =>
        kit.appendTransactionMessageInstruction(
          getTransferSolInstruction({
            source: signer,
            destination: kit.address('Eo7WjKq67rjJQSZxS6z3YkapzY3eMj6Xy8X5EQVn5UaB'),
            amount: kit.lamports(1_000_000n),
          }),
          tx,
        ),
    )
    const transaction = await kit.signTransactionMessageWithSigners(message)
    kit.assertIsFullySignedTransaction(transaction)
    const wire = kit.getBase64EncodedWireTransaction(transaction)
    const signature = await rpc.sendTransaction(wire, { encoding: 'base64' }).send()

    assert.deepEqual([sent, signature], [[wire], kit.getSignatureFromTransaction(transaction)])
    const key = await kit.getPublicKeyFromAddress(signer.address)
    const own = transaction.signatures[signer.address]!
    assert.ok(await kit.verifySignature(key, own, transaction.messageBytes))
  } finally {
    await node.close()
  }
})
