/**
 * Which test kills a process at which place, of every place where one can be made to die. Tests in
 * `test/` take their places from here; those of packages, which know nothing of this table, name theirs.
 */

/** One of each kind in every run of the tests: a node dies under load, at one place after the other. */
const QUICK = [
  'enclave/answer/after-put',
  'enclave/ledger/after-release',
  'enclave/policy/after-vote',
  'enclave/session/after-burn',
  'enclave/waiting/before-keep',
  'node/journal/before-commit',
] as const

/** All nodes at once die there while they make a wallet. */
const KEYGEN = [
  'enclave/keygen/after-activate',
  'enclave/keygen/after-pending',
  'enclave/keygen/after-receipt',
  'enclave/keygen/before-activate',
  'enclave/keygen/before-pending',
  'enclave/session/after-burn',
  'enclave/session/before-burn',
] as const

/** In the long run: all that one node of a cluster can pass. */
const LONG = [
  ...new Set([
    ...QUICK,
    ...KEYGEN,
    'enclave/answer/before-put',
    'enclave/approval/after-put',
    'enclave/approval/before-put',
    'enclave/aux/after-put',
    'enclave/aux/before-put',
    'enclave/ledger/after-bury',
    'enclave/ledger/before-bury',
    'enclave/ledger/before-release',
    'enclave/policy/after-force',
    'enclave/policy/before-force',
    'enclave/policy/before-vote',
    'enclave/pool/nonces-spent',
    'enclave/pool/presignatures-spent',
    'enclave/primes/after-put',
    'enclave/primes/before-put',
    'enclave/session/after-run-alone',
    'enclave/session/before-run-alone',
    'enclave/sign/before-commitments',
    'enclave/sign/before-presigning',
    'enclave/sign/before-receipt',
    'enclave/waiting/after-keep',
    'node/journal/after-commit',
  ]),
]

export const KILLED_IN = {
  'test/chaos/failpoints.test.ts': QUICK,
  'test/chaos/cluster.soak.ts': LONG,
  'test/e2e/crash.test.ts': KEYGEN,
  'test/e2e/backup.test.ts': [
    'enclave/restore/before-ledger',
    'node/backup/after-prune',
    'node/backup/after-put',
    'node/backup/before-prune',
    'node/backup/before-put',
    'node/backup/before-tell',
    'node/restore/after-commit',
    'node/restore/before-commit',
  ],
  'packages/hsm/test/rotation/kill.test.ts': [
    'hsm/rotation/after-begin',
    'hsm/rotation/after-finish',
    'hsm/rotation/after-step',
    'hsm/rotation/before-begin',
    'hsm/rotation/before-finish',
    'hsm/rotation/before-step',
  ],
  'packages/hsm/test/backup/kill.test.ts': [
    'hsm/backup/after-put',
    'hsm/backup/before-prune',
    'hsm/backup/before-put',
    'hsm/restore/before-key',
  ],
  'packages/kms/test/storage/crash.test.ts': [
    'kms/journal/after-commit',
    'kms/journal/before-commit',
  ],
} as const satisfies { readonly [file: string]: readonly string[] }

/** The places of one test that begin so. */
export const placesOf = (file: keyof typeof KILLED_IN, prefix = ''): readonly string[] =>
  KILLED_IN[file].filter((place) => place.startsWith(prefix))
