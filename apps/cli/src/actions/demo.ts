/** The main job once, in a directory of its own that is gone afterwards. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { toHex } from '@quorate/base'
import { chooseTemplate } from '@quorate/policy'
import type { Run } from '../command.ts'
import { type Connection, connectionTo, devCluster } from '../connection.ts'
import { signedLines } from '../dev/first-run.ts'
import { type Home, hasCluster, homeAt } from '../dev/home.ts'
import { type Sample, signSample } from '../dev/samples.ts'
import type { DevState } from '../dev/state.ts'
import { takeDown, takeUp } from '../dev/up.ts'
import type { Output } from '../output.ts'
import { loadReferee, type Referee } from '../referee.ts'
import { createWallet, type MadeWallet } from '../wallets.ts'
import { seconds } from './wallet.ts'

const NETWORKS = ['bitcoin-testnet4', 'solana-devnet']

type Shown = MadeWallet & { readonly sample: Sample }

export const demo: Run = async (given, output) => {
  const home = homeAt(mkdtempSync(join(tmpdir(), 'quorate-demo-')))
  const clean = async (): Promise<void> => {
    if (hasCluster(home)) await takeDown(home)
    rmSync(home.path, { recursive: true, force: true })
  }
  const onSignal = (): void => void clean().finally(() => process.exit(1))
  process.once('SIGINT', onSignal).once('SIGTERM', onSignal)
  let isDone = false
  try {
    await show(home, output)
    isDone = true
  } finally {
    if (isDone && given.flag('keep'))
      output.note(`The nodes go on: quorate status --home ${home.path}`)
    else await clean()
    process.off('SIGINT', onSignal).off('SIGTERM', onSignal)
  }
}

async function show(home: Home, output: Output): Promise<void> {
  const onProgress = (text: string): void => output.progress(text)
  // Loaded while the nodes start: it is needed only after them.
  const loading = loadReferee()
  loading.catch(() => {})
  const { state } = await takeUp(home, { size: 3, threshold: 2, port: null }, onProgress)
  const connection = connectionTo(await devCluster(home), { socketPath: state.nodes[0]!.socket })
  const referee = await loading
  const shown: Shown[] = []
  for (const network of NETWORKS)
    shown.push(await showWallet(referee, connection, network, onProgress))
  output.result(documentOf(state, shown), () => [
    `${state.nodes.length} nodes started: processes ${state.nodes.map(({ pid }) => pid).join(', ')}, each with a signer process of its own.`,
    ...shown.flatMap(({ wallet, keygenMs, sample }) => [
      '',
      `They made a key for ${wallet.network} in ${seconds(keygenMs)}, without a dealer; ${wallet.threshold} of ${wallet.parties} can sign.`,
      `  ${wallet.address}`,
      'A transaction that an outside library made:',
      ...signedLines(sample),
      `  txid ${sample.made.txid}`,
    ]),
  ])
}

async function showWallet(
  referee: Referee,
  connection: Connection,
  network: string,
  onProgress: (text: string) => void,
): Promise<Shown> {
  onProgress(`making a wallet for ${network}`)
  const policy = chooseTemplate('testnet-open', {})
  const made = await createWallet(connection, { network, policy }, onProgress)
  const sample = await signSample(referee, connection, made.wallet, onProgress)
  return { ...made, sample }
}

const documentOf = ({ nodes }: DevState, shown: readonly Shown[]): object => ({
  processes: nodes.map(({ pid }) => pid),
  signers: nodes.map(({ signerPid }) => signerPid),
  wallets: shown.map(({ wallet, keygenMs, sample: { unsigned, made } }) => {
    const inputs = made.items.map(({ message, signature }) => ({
      message: toHex(message),
      signature: toHex(signature),
    }))
    return {
      id: wallet.id,
      protocol: wallet.protocol,
      suite: wallet.suite,
      threshold: wallet.threshold,
      parties: wallet.parties,
      publicKey: wallet.publicKey,
      network: wallet.network,
      address: wallet.address,
      transaction: { unsigned, signed: toHex(made.signed), txid: made.txid, ...inputs[0], inputs },
      keygenMs: Math.round(keygenMs),
      signMs: Math.round(made.signMs),
    }
  }),
})
