import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import {
  type CustodyFacts,
  type CustodyPolicy,
  checkCustodyAllowed,
  custodyPolicyFromPlain,
  custodyPolicyToPlain,
  DEFAULT_CUSTODY_POLICY,
  decideCustody,
  explain,
  KEY_OPERATIONS,
  type Place,
  ROLES,
  readCustodyPolicy,
} from '@quorate/policy'
import fc from 'fast-check'

const PLACES = ['primary', 'secondary', 'emergency', 'software'] as const
const LEVELS = ['software', 'sealed', 'hardware'] as const

const POLICY = custodyPolicyFromPlain({
  require_hsm_for_roles: ['validator'],
  max_signing_rate: 2,
  roles: {
    relayer: { allowSoftwareFallback: true },
    reader: { operations: ['verify'] },
    bridge: { bridge: { minimumSignatures: 2, maximumTransactionValue: '10' } },
  },
  emergency: { maxTransactions: 3, maxTimeSeconds: 10 },
})

const facts = (changes: Partial<CustodyFacts> = {}): CustodyFacts => ({
  role: 'transaction_signer',
  operation: 'sign',
  environment: 'production',
  ...changes,
})
const at = (place: Place, custody: (typeof LEVELS)[number]): Partial<CustodyFacts> => ({
  device: { place, custody },
  emergency: { used: 0, elapsedMs: 0 },
  fallback: { isEnabled: true, left: 1 },
})
/** The rule that decides, where it denies. */
const denial = (changes: Partial<CustodyFacts>, policy: CustodyPolicy = POLICY) => {
  const { decision, rule } = decideCustody(policy, facts(changes))
  return decision === 'deny' ? rule : undefined
}

const anyFacts: fc.Arbitrary<CustodyFacts> = fc.record(
  {
    role: fc.constantFrom(...ROLES, 'relayer', 'reader', 'bridge', 'nobody'),
    operation: fc.constantFrom(...KEY_OPERATIONS),
    environment: fc.constantFrom('development', 'staging', 'production'),
    recentSignatures: fc.nat(4),
    device: fc.record({ place: fc.constantFrom(...PLACES), custody: fc.constantFrom(...LEVELS) }),
    emergency: fc.record({ used: fc.nat(4), elapsedMs: fc.nat(12_000) }),
    fallback: fc.record({ isEnabled: fc.boolean(), left: fc.nat(2) }),
    key: fc.record({
      isExtractable: fc.boolean(),
      isSensitive: fc.boolean(),
      bits: fc.constantFrom(128, 256),
    }),
    transaction: fc.record({ value: fc.bigInt(0n, 20n), signatures: fc.nat(3) }),
  },
  { requiredKeys: ['role', 'operation', 'environment'] },
)

describe('the decision', () => {
  test('denies a role that the policy does not have', () => {
    assert.equal(denial({ role: 'nobody' }), 'role')
    assert.equal(denial({ role: 'relayer' }, DEFAULT_CUSTODY_POLICY), 'role')
  })

  test('never lets a role that needs hardware go anywhere else, whatever else is said', () => {
    fc.assert(
      fc.property(anyFacts, (given) => {
        const { device } = given
        const isHardware =
          device?.custody === 'hardware' &&
          (device.place === 'primary' || device.place === 'secondary')
        for (const role of ['admin', 'validator']) {
          const { decision } = decideCustody(POLICY, { ...given, role })
          if (device !== undefined && !isHardware) assert.equal(decision, 'deny')
        }
      }),
    )
  })

  test('keeps admin in hardware even where rules that nobody read from a file say otherwise', () => {
    const admin = { ...POLICY.roles.get('admin')!, requireHsm: false }
    const forged = { ...POLICY, roles: new Map([...POLICY.roles, ['admin', admin] as const]) }
    assert.equal(denial({ role: 'admin', ...at('primary', 'sealed') }, forged), 'hardware')
  })

  test('is told by its reasons: one that matched denies, and none matched where it allows', () => {
    fc.assert(
      fc.property(anyFacts, (given) => {
        const { decision, rule, reasons } = decideCustody(POLICY, given)
        const against = reasons.filter(({ matched }) => matched)
        assert.equal(decision, against.length > 0 ? 'deny' : 'allow')
        if (decision === 'deny') assert.equal(against[0]?.rule, rule)
        for (const { because } of reasons) assert.match(because, /^[A-Z].*\.$/)
      }),
    )
  })

  test('a lock denies what would be allowed, and allows nothing', () => {
    fc.assert(
      fc.property(anyFacts, (given) => {
        const { decision } = decideCustody(POLICY, { ...given, lockedBecause: 'tamper' })
        assert.equal(decision, 'deny')
      }),
    )
  })

  test('holds the rate, for signatures alone', () => {
    assert.equal(denial({ recentSignatures: 1 }), undefined)
    assert.equal(denial({ recentSignatures: 2 }), 'rate')
    assert.equal(denial({ recentSignatures: 2, operation: 'verify' }), undefined)
    assert.equal(denial({ recentSignatures: Number.POSITIVE_INFINITY }), 'rate')
  })

  test('holds the operations of the role, and of an emergency', () => {
    assert.equal(denial({ role: 'reader' }), 'operation')
    assert.equal(denial({ role: 'reader', operation: 'verify' }), undefined)
    assert.equal(denial({ operation: 'decrypt', ...at('emergency', 'software') }), 'emergency')
  })

  test('ends an emergency at its last operation and its last second', () => {
    const used = (used: number, elapsedMs: number) =>
      denial({ ...at('emergency', 'software'), emergency: { used, elapsedMs } })
    assert.equal(used(2, 9999), undefined)
    assert.equal(used(3, 0), 'emergency')
    assert.equal(used(0, 10_000), 'emergency')
  })

  test('lets a role fall back that may, while it is switched on and not used up', () => {
    const falling = (role: string, isEnabled: boolean, left: number) =>
      denial({ role, ...at('software', 'software'), fallback: { isEnabled, left } })
    assert.equal(falling('relayer', true, 1), undefined)
    assert.equal(falling('relayer', false, 1), 'software-fallback')
    assert.equal(falling('relayer', true, 0), 'software-fallback')
    assert.equal(falling('transaction_signer', true, 1), 'software-fallback')
    const unknown = { role: 'relayer', device: { place: 'software', custody: 'software' } } as const
    assert.equal(denial(unknown), 'software-fallback')
  })

  test('wants of a key what the policy says', () => {
    const key = { isExtractable: false, isSensitive: true, bits: 256 }
    assert.equal(denial({ operation: 'generate', key }), undefined)
    for (const weaker of [{ isExtractable: true }, { isSensitive: false }, { bits: 128 }])
      assert.equal(denial({ operation: 'generate', key: { ...key, ...weaker } }), 'key-attributes')
  })

  test('holds the rules of a bridge, and what is not known counts against it', () => {
    const signing = (transaction?: CustodyFacts['transaction']) =>
      denial({ role: 'bridge', ...(transaction !== undefined && { transaction }) })
    assert.equal(signing({ signatures: 2, value: 10n }), undefined)
    assert.equal(signing({ signatures: 1, value: 10n }), 'quorum')
    assert.equal(signing({ signatures: 2, value: 11n }), 'transaction-value')
    assert.equal(signing({ signatures: 2 }), 'transaction-value')
    assert.equal(signing(), 'quorum')
    for (const environment of ['development', 'staging'] as const)
      for (const operation of ['generate', 'import'] as const)
        assert.equal(denial({ role: 'bridge', operation, environment }), 'production-mode')
  })

  test('is explained in lines, and thrown with rule and reason', () => {
    const decision = decideCustody(POLICY, facts({ role: 'admin', ...at('software', 'software') }))
    assert.deepEqual(explain(decision), [
      'denied by the rule hardware',
      '  operation: Keys of the role may sign.',
      '  hardware: The role needs hardware, and never goes to the software device.',
      '  software-fallback: The role does not fall back to software keys.',
    ])
    assert.throws(() => checkCustodyAllowed(decision), {
      code: 'policy/role-denied',
      message: /: hardware: The role needs hardware, and never goes to the software device$/,
    })
    const fast = decideCustody(POLICY, facts({ recentSignatures: 9 }))
    assert.throws(() => checkCustodyAllowed(fast), { code: 'policy/rate-limited' })
    checkCustodyAllowed(decideCustody(POLICY, facts()))
  })
})

describe('a policy as a plain object', () => {
  test('that says nothing is the usual one, and it is printed in full and read again', () => {
    assert.deepEqual(custodyPolicyFromPlain({}), DEFAULT_CUSTODY_POLICY)
    for (const policy of [DEFAULT_CUSTODY_POLICY, POLICY])
      assert.deepEqual(
        custodyPolicyFromPlain(JSON.parse(JSON.stringify(custodyPolicyToPlain(policy)))),
        policy,
      )
  })

  test('cannot take a role out of hardware that stands in the list, nor admin ever', () => {
    const { roles } = custodyPolicyFromPlain({
      requireHsmForRoles: ['validator'],
      roles: { validator: { requireHsm: false }, admin: { require_hsm: false } },
    })
    assert.deepEqual(
      [roles.get('validator')?.requireHsm, roles.get('admin')?.requireHsm],
      [true, true],
    )
  })

  test('refines for one role what holds for all', () => {
    const { roles } = custodyPolicyFromPlain({
      maxSigningRate: 7,
      keyGeneration: { curve: 'p256' },
      roles: { oracle: { key_generation: { size: 128 }, maxSigningRate: 1 } },
    })
    assert.deepEqual(roles.get('oracle')?.keyGeneration, {
      extractable: false,
      sensitive: true,
      size: 128,
      curve: 'p256',
    })
    assert.deepEqual(
      [roles.get('oracle')?.maxSigningRate, roles.get('validator')?.maxSigningRate],
      [1, 7],
    )
  })

  test('gives the rules of a bridge to the roles that sign for it', () => {
    const { roles } = custodyPolicyFromPlain({ bridge: { roles: ['mover'], minimumSignatures: 3 } })
    assert.equal(roles.get('mover')?.bridge?.minimumSignatures, 3)
    assert.equal(roles.get('transaction_signer')?.bridge, undefined)
  })

  test('with mistakes is answered with all of them, each with its place', () => {
    const read = readCustodyPolicy({
      maxSigningRat: 3,
      max_signing_rate: 0,
      maxSigningRate: 5,
      requireHsmForRoles: ['No Role'],
      roles: { 'Bad Name': {}, oracle: { operations: ['steal'], curve: 'p256' } },
      emergency: { maxTransactions: -1 },
    })
    assert.ok('problems' in read)
    const places = new Set(read.problems.map(({ path }) => path.join('.')))
    for (const place of [
      'maxSigningRat',
      'max_signing_rate',
      'requireHsmForRoles.0',
      'roles.Bad Name',
      'roles.oracle.operations.0',
      'roles.oracle.curve',
      'emergency.maxTransactions',
    ])
      assert.ok(places.has(place), `${place} is not among ${[...places].join(', ')}`)
    assert.equal(
      read.problems.find(({ path }) => path[0] === 'maxSigningRat')?.nearest,
      'maxSigningRate',
    )
  })

  test('of any form is a policy or problems, never anything else', () => {
    fc.assert(
      fc.property(fc.anything(), (value) => {
        const read = readCustodyPolicy(value)
        if ('problems' in read) assert.ok(read.problems.length > 0)
        else assert.ok(read.policy.roles.get('admin')?.requireHsm)
      }),
    )
  })
})
