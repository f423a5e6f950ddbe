/** The first run: a wallet, a signed sample, and what to try next, in plain words. */
import { isFault } from '@quorate/base'
import { chooseTemplate } from '@quorate/policy'
import { accountOf } from '../account.ts'
import { seconds } from '../actions/wallet.ts'
import { connectionTo, devCluster } from '../connection.ts'
import type { Output } from '../output.ts'
import { loadReferee } from '../referee.ts'
import { createWallet, listWallets, type MadeWallet } from '../wallets.ts'
import { describeState } from './describe.ts'
import type { Home } from './home.ts'
import { type Sample, signSample } from './samples.ts'
import type { DevState } from './state.ts'

export async function firstRun(home: Home, state: DevState, output: Output): Promise<void> {
  const known = await devCluster(home)
  const connection = connectionTo(known, { socketPath: state.nodes[0]!.socket })
  const wallets = await listWallets(connection)
  const processes = state.nodes.map(({ pid }) => pid)
  if (wallets.length > 0) {
    output.result({ isFirst: false, processes, wallets: wallets.map(({ id }) => id) }, () => [
      `${state.nodes.length} nodes run, with the data of before: ${wallets.length} ${wallets.length === 1 ? 'wallet' : 'wallets'}.`,
      ...describeState(home, state),
      ...nextSteps(wallets[0]!.label),
    ])
    return
  }
  const onProgress = (text: string): void => output.progress(text)
  const policy = chooseTemplate(known.cluster.record.defaultPolicy, {})
  const made = await createWallet(
    connection,
    { network: 'bitcoin-testnet4', name: 'first', policy },
    onProgress,
  )
  const sample = await checkedSample(connection, made, onProgress)
  output.result(
    {
      isFirst: true,
      processes,
      wallet: made.wallet,
      keygenMs: Math.round(made.keygenMs),
      transaction:
        sample === undefined ? null : { unsigned: sample.unsigned, txid: sample.made.txid },
    },
    () => [
      ...story(state, made, sample),
      '',
      ...describeState(home, state),
      ...nextSteps(made.wallet.label),
    ],
  )
}

/** Without the referee, which only a checkout has, there is nothing to sign yet. */
async function checkedSample(
  connection: Parameters<typeof signSample>[1],
  { wallet }: MadeWallet,
  onProgress: (text: string) => void,
): Promise<Sample | undefined> {
  try {
    return await signSample(await loadReferee(), connection, accountOf(wallet), onProgress)
  } catch (error) {
    if (isFault(error, 'cli/no-referee')) return undefined
    throw error
  }
}

const story = (
  { nodes }: DevState,
  { wallet, keygenMs }: MadeWallet,
  sample: Sample | undefined,
): readonly string[] => [
  `${nodes.length} nodes run on this machine, each with a signer process of its own.`,
  '',
  `They made a key together in ${seconds(keygenMs)}. Each holds one share of it; the key itself was never anywhere.`,
  `Any ${wallet.threshold} of ${wallet.parties} can sign for the wallet "${wallet.label}":`,
  `  ${wallet.address}`,
  ...(sample === undefined
    ? []
    : [
        '',
        'Then they signed a first transaction, a sample whose coins do not exist:',
        ...signedLines(sample),
      ]),
]

/** What was signed, by whom, and who checked it. */
export const signedLines = ({ words, made, judge }: Sample): readonly string[] => [
  ...words.map((line) => `  ${line}`),
  `Nodes ${made.signers.join(' and ')} read it, found it within the policy, and signed in ${seconds(made.signMs)}.`,
  `${judge}, which is no part of Quorate, made the transaction and checked the result: every signature is valid.`,
]

const nextSteps = (label: string): readonly string[] => [
  '',
  'What to try next:',
  '  npx quorate status',
  `  npx quorate tx new --wallet ${label} --out payment.psbt`,
  `  npx quorate tx sign payment.psbt --wallet ${label}`,
  '  npx quorate wallet create --network solana-devnet --name pocket',
  '  npx quorate down',
]
