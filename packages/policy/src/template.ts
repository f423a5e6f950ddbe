/**
 * Policy templates: named ways to make a policy from a few parameters. A wallet is created with
 * one, so every node builds the same policy from the same bytes.
 */
import { type Environment, MAX_PARAMS_BYTES, type PolicyChoice } from '@quorate/api'
import { type Codec, decode, encode, Fault, field, optional, record } from '@quorate/base'
import { type Amounts, amountsCodec, type Policy, wordsCodec } from './model.ts'
import { readAmounts, readObject, readTexts } from './plain.ts'

type Template<Params> = {
  readonly isDevelopmentOnly: boolean
  /** One line for people. */
  readonly summary: string
  readonly params: Codec<Params>
  readonly fromPlain: (value: unknown) => Params
  readonly policy: (params: Params) => Policy
}

/** Fees that a test transaction does not exceed by accident. */
const TESTNET_FEES: Amounts = new Map([
  ['BTC', 100_000n],
  // Some hundred thousand gas at the prices of a busy day; a plain transfer takes 21 000.
  ['ETH', 10n ** 16n],
  ['SOL', 10_000_000n],
  ['LTC', 1_000_000n],
  ['DOGE', 1_000_000_000n],
  ['BCH', 100_000n],
  ['BNB', 10n ** 16n],
  ['AVAX', 10n ** 17n],
  ['LUX', 10n ** 17n],
  ['POL', 10n ** 18n],
  ['xDAI', 10n ** 18n],
])

type TestnetOpen = { readonly maxFee?: Amounts | undefined }
const testnetOpen: Template<TestnetOpen> = {
  isDevelopmentOnly: true,
  summary:
    'on testnets, messages and whatever is wholly understood and has a small fee; development only',
  params: record({ maxFee: optional(1, amountsCodec) }),
  fromPlain(value) {
    const { maxFee } = readObject(value, 'params', ['maxFee'])
    return maxFee === undefined ? {} : { maxFee: readAmounts(maxFee, 'params.maxFee') }
  },
  policy: ({ maxFee = TESTNET_FEES }) => ({
    v: 1,
    rules: [
      { id: 'no-mainnet', action: 'deny', when: { isTestnet: false } },
      { id: 'no-opaque', action: 'deny', when: { kinds: ['opaque'] } },
      { id: 'testnet', action: 'allow', when: { isTestnet: true, maxFee } },
      // What a text means is up to whoever is shown it; on a testnet nothing hangs on it.
      {
        id: 'testnet-messages',
        action: 'allow',
        when: { isTestnet: true, kinds: ['message'] },
        allowsIncomplete: true,
      },
    ],
  }),
}

type AllowList = {
  readonly networks: readonly string[]
  readonly recipients: readonly string[]
  readonly maxAmount: Amounts
  readonly maxFee: Amounts
}
const allowList: Template<AllowList> = {
  isDevelopmentOnly: false,
  summary: 'payments to listed recipients, up to an amount and a fee each, on listed networks',
  params: record({
    networks: field(1, wordsCodec),
    recipients: field(2, wordsCodec),
    maxAmount: field(3, amountsCodec),
    maxFee: field(4, amountsCodec),
  }),
  fromPlain(value) {
    const given = readObject(value, 'params', ['networks', 'recipients', 'maxAmount', 'maxFee'])
    return {
      networks: readTexts(given.networks, 'params.networks'),
      recipients: readTexts(given.recipients, 'params.recipients'),
      maxAmount: readAmounts(given.maxAmount, 'params.maxAmount'),
      maxFee: readAmounts(given.maxFee, 'params.maxFee'),
    }
  },
  policy: ({ networks, recipients, maxAmount, maxFee }) => ({
    v: 1,
    rules: [
      {
        id: 'listed',
        action: 'allow',
        when: {
          networks,
          kinds: ['transfer', 'token', 'batch'],
          onlyRecipients: recipients,
          maxAmount,
          maxFee,
        },
      },
    ],
  }),
}

/** A template with its parameters' type closed over. */
type Entry = {
  readonly isDevelopmentOnly: boolean
  readonly summary: string
  readonly instantiate: (params: Uint8Array) => Policy
  readonly encodeParams: (value: unknown) => Uint8Array
}

const entry = <P>({ params, fromPlain, policy, ...about }: Template<P>): Entry => ({
  isDevelopmentOnly: about.isDevelopmentOnly,
  summary: about.summary,
  instantiate: (encoded) => policy(decode(params, encoded, { maxBytes: MAX_PARAMS_BYTES })),
  encodeParams: (value) => encode(params, fromPlain(value)),
})

const TEMPLATES: ReadonlyMap<string, Entry> = new Map([
  ['testnet-open', entry(testnetOpen)],
  ['allow-list', entry(allowList)],
])

function templateOf(name: string): Entry {
  const template = TEMPLATES.get(name)
  if (template === undefined)
    throw new Fault('policy/unknown-template', {
      detail: `there are ${[...TEMPLATES.keys()].join(', ')}`,
    })
  return template
}

export type TemplateInfo = {
  readonly name: string
  readonly summary: string
  readonly isDevelopmentOnly: boolean
}

/** What there is to choose from. */
export const listTemplates = (): readonly TemplateInfo[] =>
  [...TEMPLATES].map(([name, { summary, isDevelopmentOnly }]) => ({
    name,
    summary,
    isDevelopmentOnly,
  }))

/**
 * The choice of a template with parameters as people write them.
 * @throws policy/unknown-template, policy/malformed, base/malformed
 */
export const chooseTemplate = (name: string, params: unknown): PolicyChoice => ({
  template: name,
  params: templateOf(name).encodeParams(params),
})

/**
 * The policy that a choice makes, in an environment that permits it.
 * @throws policy/unknown-template, policy/development-only, policy/malformed, base/malformed,
 *   base/not-canonical, base/too-large
 */
export function instantiate(choice: PolicyChoice, environment: Environment): Policy {
  const template = templateOf(choice.template)
  if (template.isDevelopmentOnly && environment !== 'development')
    throw new Fault('policy/development-only')
  return template.instantiate(choice.params)
}
