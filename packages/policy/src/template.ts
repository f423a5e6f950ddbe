/**
 * Policy templates: named ways to make a policy from a few parameters. A wallet is created with
 * one, so every node builds the same policy from the same bytes.
 */
import { type Environment, MAX_PARAMS_BYTES, type PolicyChoice } from '@quorate/api'
import { type Codec, decode, encode, Fault, field, optional, record } from '@quorate/base'
import { amountsCodec, durationCodec, quorumCodec, wordsCodec } from './codec.ts'
import type { Amounts, Policy, Quorum } from './model.ts'
import { Plain, type PlainReader, problemText } from './plain-reader.ts'
import { readAmounts, readDuration, readQuorum, readTexts, required } from './plain-values.ts'

type Template<Params> = {
  readonly isDevelopmentOnly: boolean
  /** One line for people. */
  readonly summary: string
  readonly params: Codec<Params>
  readonly read: PlainReader<Params>
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
  read(plain) {
    const maxFee = plain.known(['maxFee'])?.get('maxFee')
    return maxFee === undefined ? {} : { maxFee: readAmounts(maxFee) }
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
  read(plain) {
    const get = membersOf(plain, ['networks', 'recipients', 'maxAmount', 'maxFee'])
    return all({
      networks: get('networks', readTexts),
      recipients: get('recipients', readTexts),
      maxAmount: get('maxAmount', readAmounts),
      maxFee: get('maxFee', readAmounts),
    })
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

type Treasury = {
  readonly networks: readonly string[]
  readonly recipients: readonly string[]
  readonly maxFee: Amounts
  /** What may leave in any window of that length. */
  readonly limit: Amounts
  readonly windowMs: number
  readonly approveAbove: Amounts
  readonly approvers: Quorum
  readonly delayAbove: Amounts
  readonly delayMs: number
  readonly change: Quorum
}
const treasury: Template<Treasury> = {
  isDevelopmentOnly: false,
  summary:
    'payments to listed recipients within a rolling limit; over an amount approvals, over a larger one a delay too; its change takes a quorum',
  params: record({
    networks: field(1, wordsCodec),
    recipients: field(2, wordsCodec),
    maxFee: field(3, amountsCodec),
    limit: field(4, amountsCodec),
    windowMs: field(5, durationCodec),
    approveAbove: field(6, amountsCodec),
    approvers: field(7, quorumCodec),
    delayAbove: field(8, amountsCodec),
    delayMs: field(9, durationCodec),
    change: field(10, quorumCodec),
  }),
  read(plain) {
    const get = membersOf(plain, [
      'networks',
      'recipients',
      'maxFee',
      'limit',
      'within',
      'approveAbove',
      'approvers',
      'delayAbove',
      'delay',
      'change',
    ])
    return all({
      networks: get('networks', readTexts),
      recipients: get('recipients', readTexts),
      maxFee: get('maxFee', readAmounts),
      limit: get('limit', readAmounts),
      windowMs: get('within', readDuration),
      approveAbove: get('approveAbove', readAmounts),
      approvers: get('approvers', readQuorum),
      delayAbove: get('delayAbove', readAmounts),
      delayMs: get('delay', readDuration),
      change: get('change', readQuorum),
    })
  },
  policy: (given) => ({
    v: 1,
    rules: [
      {
        id: 'listed',
        action: 'allow',
        when: {
          networks: given.networks,
          kinds: ['transfer', 'token', 'batch'],
          onlyRecipients: given.recipients,
          maxFee: given.maxFee,
        },
      },
      // A batch of fees would get past a limit on payments alone.
      {
        id: 'velocity',
        action: 'limit',
        when: {},
        limit: { windowMs: given.windowMs, amounts: given.limit, includesFee: true },
      },
      {
        id: 'large',
        action: 'approve',
        when: { amountAbove: given.approveAbove },
        approvals: [given.approvers],
      },
      {
        id: 'very-large',
        action: 'delay',
        when: { amountAbove: given.delayAbove },
        delayMs: given.delayMs,
        veto: given.approvers.group,
      },
    ],
    change: given.change,
  }),
}

/** Reads members of an object by name, each of which must be there. */
function membersOf(
  plain: Plain,
  known: readonly string[],
): <T>(name: string, read: PlainReader<T>) => T | undefined {
  const given = plain.known(known) ?? new Map<string, Plain>()
  return (name, read) => required(plain, given, name, read)
}

/** The same, where nothing in it is missing. */
const all = <T extends object>(
  value: T,
): { readonly [K in keyof T]: Exclude<T[K], undefined> } | undefined =>
  Object.values(value).includes(undefined)
    ? undefined
    : (value as { readonly [K in keyof T]: Exclude<T[K], undefined> })

type Blind = { readonly initiators: readonly string[] }
const blind: Template<Blind> = {
  isDevelopmentOnly: false,
  summary: 'digests that nobody can read, asked for by the listed clients; of a blind wallet only',
  params: record({ initiators: field(1, wordsCodec) }),
  read(plain) {
    const get = membersOf(plain, ['initiators'])
    return all({ initiators: get('initiators', readTexts) })
  },
  policy: ({ initiators }) => ({
    v: 1,
    rules: [
      {
        id: 'blind',
        action: 'allow',
        when: { kinds: ['opaque'], initiators },
        allowsIncomplete: true,
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

const entry = <P>({ params, read, policy, ...about }: Template<P>): Entry => ({
  isDevelopmentOnly: about.isDevelopmentOnly,
  summary: about.summary,
  instantiate: (encoded) => policy(decode(params, encoded, { maxBytes: MAX_PARAMS_BYTES })),
  encodeParams(value) {
    const plain = new Plain(value, ['params'])
    const given = read(plain)
    const [problem] = plain.problems
    if (problem !== undefined || given === undefined)
      throw new Fault('policy/malformed', {
        detail: problem === undefined ? 'params' : problemText(problem),
      })
    return encode(params, given)
  },
})

const TEMPLATES: ReadonlyMap<string, Entry> = new Map([
  ['testnet-open', entry(testnetOpen)],
  ['allow-list', entry(allowList)],
  ['treasury', entry(treasury)],
  ['blind', entry(blind)],
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
