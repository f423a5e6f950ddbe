/** Random rules and questions from small alphabets, so that they meet often. */
import type { Id } from '@quorate/base'
import fc from 'fast-check'
import { ACTION_NAMES } from '#src/domains/access/actions.js'
import {
  type Conditions,
  checkRules,
  DAYS,
  type HeldRule,
  type Rule,
  type Scope,
} from '#src/domains/access/model.js'
import type { Asked } from '#src/domains/access/policy.js'
import type { Resource } from '#src/domains/access/port.js'

export const NOW: number = Date.parse('2026-03-04T12:00:00.000Z')
export const HOUR = 3_600_000
export const PROJECTS = ['a', 'b'].map(
  (last) => `prj_0000000000000000000000000${last}` as Id<'prj'>,
)

const some = <T>(...values: readonly T[]): fc.Arbitrary<T> => fc.constantFrom(...values)
const listOf = <T>(item: fc.Arbitrary<T>): fc.Arbitrary<T[]> =>
  fc.array(item, { minLength: 1, maxLength: 3 })
const iso = (ms: number): string => new Date(ms).toISOString()

const environment = some('dev', 'prod', 'prod-eu', 'staging')
const segment = some('a', 'b', 'ab', 'abc')
const path = fc.array(segment, { maxLength: 3 }).map((parts) => `/${parts.join('/')}`)
const name = some('DB_URL', 'DB_PASSWORD', 'TOKEN', 'KEY')
const tag = some('red', 'blue', 'green')
const address = some(
  '10.0.0.1',
  '10.1.2.3',
  '192.0.2.7',
  '::1',
  '2001:db8::7',
  '::ffff:10.0.0.1',
  'local',
)
const time = fc.integer({ min: -6, max: 6 }).map((hours) => NOW + hours * HOUR)

const namePattern = some('*', 'DB_*', '*_URL', 'TOKEN', '*E*', 'D*B*L')
const environmentPattern = some('*', 'prod*', 'dev', '*-eu', 'staging', 'prod')
const pathPattern = fc.oneof(
  some('/**', '/', '/a/**', '/**/b', '/a/*', '/*/b/**', '/a*/**', '/**/a/**/b'),
  fc
    .array(fc.oneof(segment, some('*', '**', 'a*', '*b')), { maxLength: 4 })
    .map((parts) => `/${parts.join('/')}`),
)
const network = some(
  '10.0.0.0/8',
  '10.0.0.0/31',
  '10.1.2.3',
  '::/0',
  '2001:db8::/32',
  '::1',
  '0.0.0.0/0',
  'local',
)

const conditions: fc.Arbitrary<Conditions> = fc.record(
  {
    environments: listOf(environmentPattern),
    paths: listOf(pathPattern),
    names: listOf(namePattern),
    tags: listOf(tag),
    notBefore: time.map(iso),
    notAfter: time.map(iso),
    hours: fc
      .record(
        {
          days: fc.subarray([...DAYS], { minLength: 1 }),
          span: fc.tuple(fc.integer({ min: 0, max: 23 }), fc.integer({ min: 1, max: 24 })),
        },
        { requiredKeys: ['span'] },
      )
      .filter(({ span: [from, to] }) => from < to)
      .map(({ span: [from, to], ...rest }) => ({
        ...rest,
        from: `${String(from).padStart(2, '0')}:00`,
        to: `${String(to).padStart(2, '0')}:00`,
      })),
    addresses: listOf(network),
  },
  { requiredKeys: [] },
)

const isMeaningful = (rule: Rule): boolean => {
  try {
    checkRules([rule])
    return true
  } catch {
    return false
  }
}

/** Conditions are thinned out: with all eight at once nothing would ever match. */
const sparse = fc
  .tuple(
    conditions,
    fc.subarray(
      [
        'environments',
        'paths',
        'names',
        'tags',
        'notBefore',
        'notAfter',
        'hours',
        'addresses',
      ] as const,
      { maxLength: 2 },
    ),
  )
  .map(([all, keys]) => Object.fromEntries(keys.map((key) => [key, all[key]])) as Conditions)

export const ruleArbitrary: fc.Arbitrary<Rule> = fc
  .record(
    {
      effect: fc.oneof(
        { weight: 3, arbitrary: some('allow' as const) },
        { weight: 1, arbitrary: some('deny' as const) },
      ),
      actions: listOf(
        some(
          '*',
          'secret.*',
          'secret.read',
          'folder.*',
          'secret.update',
          'project.*',
          'sys.seal',
          'folder.read',
        ),
      ),
      when: sparse,
    },
    { requiredKeys: ['effect', 'actions'] },
  )
  .filter(isMeaningful)

const bound = (infinite: number): fc.Arbitrary<number> =>
  fc.oneof({ weight: 3, arbitrary: some(infinite) }, { weight: 1, arbitrary: time })

export const heldArbitrary: fc.Arbitrary<HeldRule> = fc.record({
  rule: ruleArbitrary,
  label: some('role:x#1', 'grant:y#2'),
  scope: some<Scope>('*', ...PROJECTS),
  startsAt: bound(Number.NEGATIVE_INFINITY),
  endsAt: bound(Number.POSITIVE_INFINITY),
})

export const heldList: fc.Arbitrary<HeldRule[]> = fc.array(heldArbitrary, { maxLength: 6 })

const resource: fc.Arbitrary<Resource> = fc.record(
  {
    kind: some('secret'),
    project: some(...PROJECTS),
    environment,
    path,
    name,
    tags: fc.uniqueArray(tag),
  },
  { requiredKeys: ['kind'] },
)

export const askedArbitrary: fc.Arbitrary<Asked> = fc.record({
  action: fc.oneof(
    some('secret.read' as const, 'secret.update' as const, 'folder.read' as const),
    some(...ACTION_NAMES),
  ),
  resource,
  now: time,
  address,
})
