/** The main job once, in a directory of its own that is gone afterwards. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Protocol } from '@quorate/api'
import { toHex } from '@quorate/base'
import { chooseTemplate } from '@quorate/policy'
import { accountOf } from '../account.ts'
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
import { describePhases, phasesJson, seconds } from './wallet.ts'

type Wanted = {
  /** What the wallet is made for; its samples are signed on this network first. */
  readonly network: string
  readonly protocol: Protocol
  readonly others: readonly string[]
}

/** The quick ones first: auxiliary information for ECDSA takes a while. */
const WANTED: readonly Wanted[] = [
  { network: 'bitcoin-testnet4', protocol: 'frost', others: [] },
  { network: 'solana-devnet', protocol: 'frost', others: [] },
  { network: 'ethereum-sepolia', protocol: 'cggmp24', others: ['bitcoin-testnet4'] },
]

type Shown = MadeWallet & {
  /** On the wallet's own network first. */
  readonly samples: readonly Sample[]
}

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
  // People see each wallet as soon as it has signed; a document is one.
  const tell = (...lines: readonly string[]): void => {
    if (!output.isJson) output.lines(lines)
  }
  tell(
    `${state.nodes.length} nodes started: processes ${state.nodes.map(({ pid }) => pid).join(', ')}, each with a signer process of its own.`,
  )
  const shown: Shown[] = []
  for (const wanted of WANTED) {
    const each = await showWallet(referee, connection, wanted, onProgress)
    shown.push(each)
    tell(...describe(each))
  }
  output.result(documentOf(state, shown), () => [])
}

const describe = ({ wallet, keygenMs, phases, samples }: Shown): readonly string[] => [
  '',
  `They made a key for ${wallet.network} (${wallet.protocol}) in ${seconds(keygenMs)}, without a dealer; ${wallet.threshold} of ${wallet.parties} can sign.`,
  // What went before the key itself is told only where it is most of the time.
  ...(wallet.protocol === 'cggmp24' ? [`  ${describePhases(phases)}`] : []),
  ...samples.flatMap((sample) => [
    `  ${sample.account.address}`,
    'A transaction that an outside library made:',
    ...signedLines(sample),
    `  txid ${sample.made.txid}`,
  ]),
]

async function showWallet(
  referee: Referee,
  connection: Connection,
  { network, protocol, others }: Wanted,
  onProgress: (text: string) => void,
): Promise<Shown> {
  onProgress(`making a wallet for ${network} (${protocol})`)
  const policy = chooseTemplate('testnet-open', {})
  const made = await createWallet(connection, { network, protocol, policy }, onProgress)
  const samples: Sample[] = []
  for (const each of [network, ...others]) {
    onProgress(`signing on ${each}`)
    const account = accountOf(made.wallet, { network: each })
    samples.push(await signSample(referee, connection, account, onProgress))
  }
  return { ...made, samples }
}

const documentOf = ({ nodes }: DevState, shown: readonly Shown[]): object => ({
  processes: nodes.map(({ pid }) => pid),
  signers: nodes.map(({ signerPid }) => signerPid),
  wallets: shown.map(({ wallet, keygenMs, phases, samples }) => {
    const transactions = samples.map(transactionOf)
    return {
      id: wallet.id,
      protocol: wallet.protocol,
      suite: wallet.suite,
      threshold: wallet.threshold,
      parties: wallet.parties,
      publicKey: wallet.publicKey,
      network: wallet.network,
      address: wallet.address,
      /** The one on the wallet's own network. */
      transaction: transactions[0],
      transactions,
      keygenMs: Math.round(keygenMs),
      phases: phasesJson(phases),
      signMs: Math.round(samples[0]!.made.signMs),
    }
  }),
})

function transactionOf({ account, unsigned, made, judge }: Sample): object {
  const inputs = made.items.map(({ message, signature }) => ({
    message: toHex(message),
    signature: toHex(signature),
  }))
  return {
    network: account.network,
    address: account.address,
    unsigned,
    signed: toHex(made.signed),
    txid: made.txid,
    ...inputs[0],
    inputs,
    signMs: Math.round(made.signMs),
    judge,
  }
}
