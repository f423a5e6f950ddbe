import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import {
  checkApproval,
  decodeSignedChange,
  encodeSignedChange,
  type PolicyChange,
  policyChangeHash,
} from '@quorate/api'
import {
  acceptRecord,
  approverOf,
  type ClusterRecord,
  encodeClusterRecord,
  signClusterRecord,
} from '@quorate/auth'
import { fromHex, type Id, type IdPrefix, idFrom } from '@quorate/base'
import { encodePolicy, policyFromPlain } from '@quorate/policy'
import { keyFileBytes, newKey } from '#src/credentials.js'
import { signerOf, verifyEd25519 } from '#src/crypto.js'
import { lookIntoText } from '#src/policy-file.js'
import { encodeChain } from '#src/records.js'
import { cliIn, document, errorOf, scratch } from './support/cli.js'

const home = scratch()
const cli = cliIn(home)
const write = (name: string, content: string | Uint8Array): string => {
  writeFileSync(join(home, name), content, { mode: 0o600 })
  return name
}

const places = (yaml: string): readonly string[] => {
  const read = lookIntoText(yaml)
  return 'findings' in read
    ? read.findings.map(({ line, column, message }) => `${line}:${column} ${message}`)
    : []
}

test('each mistake is named with its line, its column and the nearest name', () => {
  const yaml = [
    'v: 1',
    'rules:',
    '  - id: small',
    '    action: alow',
    '    when:',
    '      onlyRecipient: [alice]',
    "      maxFee: { BTC: '1.5' }",
    '  - id: wait',
    '    action: delay',
    '    when: {}',
  ].join('\n')
  assert.deepEqual(places(yaml), [
    '4:5 rules[0].action: expected one of allow, deny, approve, delay, limit; did you mean allow?',
    '6:7 rules[0].when.onlyRecipient: it is unknown; did you mean onlyRecipients?',
    "7:17 rules[0].when.maxFee.BTC: expected a decimal amount in the smallest unit, e.g. '150_000'",
    '8:5 rules[1]: a rule to delay has delay',
  ])
})

test('what is no YAML, or no policy at all, is told so', () => {
  assert.match(places('v: 1\nv: 1')[0]!, /^2:1 duplicate key/)
  assert.match(places('rules: [')[0]!, /^1:9 /)
  assert.deepEqual(places('just text'), ['1:1 the policy: expected names with values'])
  assert.equal(places('').length, 1)
})

test('amounts of any size are read exactly', () => {
  const amount = 2n ** 255n + 1n
  const read = lookIntoText(
    `v: 1\nrules:\n  - { id: a, action: allow, when: { maxAmount: { ETH: ${amount}, BTC: 5 } } }`,
  )
  assert.ok('policy' in read)
  assert.deepEqual([...read.policy.rules[0]!.when.maxAmount!.values()], [amount, 5n])
})

const POLICY = `v: 1
rules:
  - { id: any, action: allow, when: { isTestnet: true } }
  - { id: daily, action: limit, when: {}, limit: { within: 24h, amounts: { BTC: '1000' } } }
`

test('policy check prints a policy, or its mistakes with exit code 2', async () => {
  write('good.yaml', POLICY)
  const good = document<{ isValid: boolean; hash: string }>(
    await cli('policy', 'check', 'good.yaml', '--json'),
  )
  assert.ok(good.isValid)
  assert.match(good.hash, /^[0-9a-f]{64}$/)
  write('bad.yaml', POLICY.replace('isTestnet', 'isTestnest'))
  const bad = await cli('policy', 'check', 'bad.yaml')
  assert.equal(bad.code, 2)
  assert.match(bad.out, /^bad\.yaml:3:39: .*did you mean isTestnet\?$/m)
  assert.equal(errorOf(await cli('policy', 'check', 'bad.yaml', '--json')).code, 'policy/malformed')
})

const line = (id: string, hour: number, amount: number, isTestnet = true): string =>
  JSON.stringify({
    id,
    at: `2026-01-05T${String(hour).padStart(2, '0')}:00:00.000Z`,
    wallet: 'wal_a',
    initiator: 'cli_a',
    isTestnet,
    outcome: 'signed',
    view: {
      network: 'bitcoin-testnet4',
      caip2: 'bip122:0',
      kind: 'transfer',
      from: ['me'],
      outputs: [
        { to: 'alice', asset: 'BTC', amount: String(amount), isChange: false, isClaimed: false },
      ],
      fee: null,
      isComplete: true,
      notes: [],
      warnings: [],
    },
  })

test('policy simulate judges past requests, and names what another policy would do', async () => {
  write('good.yaml', POLICY)
  write('wide.yaml', POLICY.replace("'1000'", "'5000'"))
  write('past.jsonl', `${line('a', 1, 600)}\n\n${line('b', 2, 600)}\n${line('c', 3, 1, false)}\n`)
  const made = document<{ counts: object; differences: object }>(
    await cli(
      'policy',
      'simulate',
      'past.jsonl',
      '--policy',
      'good.yaml',
      '--against',
      'wide.yaml',
      '--json',
    ),
  )
  assert.deepEqual(made.counts, { allow: 1, over: 1, deny: 1 })
  assert.deepEqual(made.differences, [{ id: 'b', before: 'allow', after: 'over' }])
  write('torn.jsonl', `${line('a', 1, 600)}\n{"id":1}\n`)
  const torn = await cli('policy', 'simulate', 'torn.jsonl', '--policy', 'good.yaml', '--json')
  assert.match(errorOf(torn).message, /torn\.jsonl:2/)
})

const id = <P extends IdPrefix>(prefix: P, n: number): Id<P> =>
  idFrom(prefix, 1_767_225_600_000, new Uint8Array(10).fill(n))

/** A cluster of two nodes, one administrator and a client in the group `board`, as files. */
async function enrol(): Promise<ReturnType<typeof acceptRecord>> {
  const nodes = [newKey(), newKey()]
  const admin = { v: 1, admin: 'alice', ...newKey() } as const
  const client = {
    v: 1,
    client: id('cli', 1),
    name: 'ann',
    role: 'approver',
    project: id('prj', 2),
    ...newKey(),
  } as const
  const record: ClusterRecord = {
    v: 1,
    number: 1,
    name: 'example',
    environment: 'staging',
    nodes: nodes.map(({ key }, i) => ({
      index: i + 1,
      id: id('nod', i + 1),
      identityKey: fromHex(key),
      minCustody: 'software',
    })),
    admins: [{ id: admin.admin, key: fromHex(admin.key) }],
    adminThreshold: 1,
    clients: [
      {
        id: client.client,
        key: fromHex(client.key),
        name: client.name,
        role: client.role,
        project: client.project,
        expiresAt: Date.now() + 86_400_000,
        groups: ['board'],
      },
    ],
    minProtocol: 1,
    hybrid: false,
    defaultPolicy: 'allow-list',
    createdAt: 1_767_225_600_000,
  }
  const encoded = encodeClusterRecord(record)
  const signatures = await Promise.all(
    nodes.map(({ seed }, i) =>
      signClusterRecord(encoded, { kind: 'node', value: i + 1 }, signerOf(fromHex(seed))),
    ),
  )
  const signed = { record: encoded, signatures }
  write('cluster.cbor', encodeChain([signed]))
  write('alice.json', keyFileBytes(admin))
  write('ann.json', keyFileBytes(client))
  return acceptRecord(undefined, signed, { verify: verifyEd25519 })
}

test('policy approve signs the change in the file, as a client or as an administrator', async () => {
  const cluster = await enrol()
  const now = Date.now()
  const change: PolicyChange = {
    v: 1,
    wallet: id('wal', 3),
    from: new Uint8Array(32).fill(9),
    version: 2,
    policy: encodePolicy(
      policyFromPlain({ v: 1, rules: [{ id: 'none', action: 'deny', when: {} }] }),
    ),
    createdAt: now,
    expiresAt: now + 3_600_000,
  }
  write('change.cbor', encodeSignedChange({ change, approvals: [] }))
  const common = ['--cluster', 'cluster.cbor'] as const
  const ann = await cli(
    'policy',
    'approve',
    'change.cbor',
    '--out',
    'one.cbor',
    '--client',
    'ann.json',
    ...common,
  )
  assert.equal(ann.code, 0, ann.err)
  assert.match(ann.err, /deny "none"/)
  const alice = await cli(
    'policy',
    'approve',
    'one.cbor',
    '--out',
    'two.cbor',
    '--admin',
    'alice.json',
    '--reject',
    ...common,
  )
  assert.equal(alice.code, 0, alice.err)
  const { approvals } = decodeSignedChange(readFileSync(join(home, 'two.cbor')))
  const checked = approvals.map((approval) =>
    checkApproval(approval, {
      cluster: cluster.cluster,
      subject: policyChangeHash(change),
      policyHash: change.from,
      now: Date.now(),
      resolve: (approver) =>
        approverOf(cluster.record, approver, { project: id('prj', 2), now: Date.now() }),
      verify: verifyEd25519,
    }),
  )
  assert.deepEqual(
    checked.map(({ approver, decision, groups }) => [approver.value, decision, groups]),
    [
      [id('cli', 1), 'approve', ['board']],
      ['alice', 'reject', ['admins']],
    ],
  )
})

test('policy approve refuses keys of nobody who may approve, and files of something else', async () => {
  await enrol()
  write('stranger.json', keyFileBytes({ v: 1, admin: 'mallory', ...newKey() }))
  const change = await cli(
    'policy',
    'approve',
    'cluster.cbor',
    '--out',
    'x.cbor',
    '--json',
    '--cluster',
    'cluster.cbor',
    '--admin',
    'stranger.json',
  )
  assert.equal(errorOf(change).code, 'cli/bad-file')
  const signed = { change: decodeSignedChange(readFileSync(join(home, 'one.cbor'))).change }
  write('again.cbor', encodeSignedChange({ ...signed, approvals: [] }))
  const stranger = await cli(
    'policy',
    'approve',
    'again.cbor',
    '--out',
    'x.cbor',
    '--json',
    '--cluster',
    'cluster.cbor',
    '--admin',
    'stranger.json',
  )
  assert.deepEqual([stranger.code, errorOf(stranger).code], [3, 'cli/no-voice'])
  write('other.json', keyFileBytes({ v: 1, admin: 'alice', ...newKey() }))
  const namesake = await cli(
    'policy',
    'approve',
    'again.cbor',
    '--out',
    'x.cbor',
    '--json',
    '--cluster',
    'cluster.cbor',
    '--admin',
    'other.json',
  )
  assert.equal(errorOf(namesake).code, 'cli/no-voice')
})
