/** Checks of what lies around the device: PIN, module, configuration, backups, and who logs in. */
import {
  blind,
  type Check,
  found,
  foundIf,
  type Look,
  together,
  type Weakness,
  withFact,
} from './check.ts'
import type { DoctorFacts, FileFacts, PinFacts } from './facts.ts'

const OTHERS_READ = 0o004
const OTHERS_WRITE = 0o022
const ANYBODY_ELSE = 0o077
const STICKY = 0o1000
const MIN_PIN_LENGTH = 8
const MAX_DRILL_AGE_DAYS = 180
const DAY_MS = 86_400_000

const shownMode = (mode: number): string => `0${(mode & 0o7777).toString(8)}`

type Flag = readonly [flag: string, severity: 'low' | 'medium' | 'high', evidence: string]
const PIN_FLAGS: readonly Flag[] = [
  ['USER_PIN_LOCKED', 'high', 'the user PIN is locked'],
  ['USER_PIN_FINAL_TRY', 'high', 'one wrong user PIN more locks the token'],
  ['USER_PIN_COUNT_LOW', 'medium', 'a wrong user PIN was tried'],
  ['USER_PIN_TO_BE_CHANGED', 'medium', 'the user PIN is the one it was delivered with'],
  ['SO_PIN_LOCKED', 'medium', 'the PIN of the security officer is locked'],
  ['SO_PIN_FINAL_TRY', 'high', 'one wrong PIN of the security officer more locks it for ever'],
  ['SO_PIN_COUNT_LOW', 'medium', 'a wrong PIN of the security officer was tried'],
  [
    'SO_PIN_TO_BE_CHANGED',
    'high',
    'the PIN of the security officer is the one it was delivered with',
  ],
]

const pin: Check = {
  id: 'D15',
  title: 'PIN is weak, exposed or about to lock',
  severity: 'high',
  fix: 'Set a long random PIN, give it in a file of mode 0600 or by a descriptor, and find out who tries others.',
  look: (facts) =>
    together(
      withFact(facts.token, ({ flags }) =>
        found(
          PIN_FLAGS.filter(([flag]) => flags.includes(flag)).map(([, severity, evidence]) => ({
            severity,
            evidence,
          })),
        ),
      ),
      withFact(facts.pin, (given) => found([...weakPin(given), ...exposedPin(given, facts)])),
    ),
}

const weakPin = ({ isCommon, length }: PinFacts): readonly Weakness[] => [
  ...(isCommon ? [{ evidence: 'the PIN is one that everybody tries first' }] : []),
  ...(!isCommon && length < MIN_PIN_LENGTH
    ? [{ severity: 'medium' as const, evidence: `the PIN has ${length} characters` }]
    : []),
]

function exposedPin({ origin, file }: PinFacts, { environment }: DoctorFacts): readonly Weakness[] {
  if (origin === 'argument')
    return [{ evidence: 'the PIN is in the arguments of a process, which every user can list' }]
  if (origin === 'environment' && environment !== 'development')
    return [
      { severity: 'medium', evidence: 'the PIN is in the environment, which children inherit' },
    ]
  if (file === undefined || (file.mode & ANYBODY_ELSE) === 0) return []
  const severity = (file.mode & OTHERS_READ) === 0 ? 'medium' : 'high'
  return [{ severity, evidence: `${file.path}, with the PIN, has mode ${shownMode(file.mode)}` }]
}

const files: Check = {
  id: 'D16',
  title: 'Module or its configuration can be replaced',
  severity: 'high',
  fix: 'Let root own the file and its directory, writable by nobody else, and pin the SHA-256 of the module.',
  look: (facts) =>
    together(
      withFact(facts.library, ({ file }) => found(replaceable(file, facts))),
      withFact(facts.library, ({ file: { path }, sha256, pinnedSha256 }) => {
        if (pinnedSha256 !== undefined)
          return foundIf(pinnedSha256.toLowerCase() !== sha256, {
            severity: 'critical',
            evidence: `${path} has SHA-256 ${sha256}, not the pinned one`,
          })
        return foundIf(facts.environment === 'production', {
          severity: 'low',
          evidence: `the SHA-256 of ${path} is not pinned; it is ${sha256}`,
        })
      }),
      ...facts.configuration.map((file) => found(replaceable(file, facts))),
    ),
}

/** In production the user of the service may not change it either: whoever takes the service over is that user. */
function replaceable(
  { path, mode, uid, directory }: FileFacts,
  { environment, uid: own }: DoctorFacts,
): readonly Weakness[] {
  const weaknesses: Weakness[] = []
  if ((mode & OTHERS_WRITE) !== 0)
    weaknesses.push({ evidence: `${path} has mode ${shownMode(mode)}` })
  if ((directory.mode & OTHERS_WRITE) !== 0 && (directory.mode & STICKY) === 0)
    weaknesses.push({ evidence: `the directory of ${path} has mode ${shownMode(directory.mode)}` })
  if (environment === 'production' && own !== 0 && (uid === own || directory.uid === own))
    weaknesses.push({
      severity: 'medium',
      evidence: `${path} or its directory belongs to the user of the service (${own})`,
    })
  return weaknesses
}

const soft: Check = {
  id: 'D17',
  title: 'No hardware behind production keys',
  severity: 'critical',
  fix: 'Configure a hardware security module, and make the keys anew there.',
  look: ({ environment, custody, type }) =>
    foundIf(environment === 'production' && custody === 'software', {
      evidence: `type ${type}: keys are no safer than a file`,
    }),
}

/** Users with more rights than operations need, by what the vendors call them. */
const OFFICERS = /^(admin|crypto[-_ ]?officer|co|so|pco|precrypto[-_ ]?officer)$/i
const YUBIHSM_DEFAULT = '0001'

const officer: Check = {
  id: 'D18',
  title: 'Login with more rights than needed',
  severity: 'high',
  fix: 'Make a user that may only use keys, give the service its PIN, and keep that of the officer offline.',
  look: ({ pin: fact, type }) =>
    withFact(fact, ({ account }) => {
      if (account === undefined) return blind('the PIN does not say whose it is')
      const isOfficer =
        OFFICERS.test(account) || (type === 'yubihsm2' && account === YUBIHSM_DEFAULT)
      return foundIf(isOfficer, { evidence: `logs in as ${account}` })
    }),
}

const backup: Check = {
  id: 'D19',
  title: 'Loss of the device would lose its keys',
  severity: 'high',
  fix: 'Add a second HSM with the same keys, or a tested backup; restore it for trial every half year.',
  look: (facts) => {
    if (facts.environment !== 'production') return blind('demanded in production only')
    return together(
      withFact(facts.hasSecondHsm, (has) =>
        foundIf(!has, { evidence: 'no second HSM is configured' }),
      ),
      withFact(facts.lastRestoreDrill, (at) => drillLook(at, facts.now)),
    )
  },
}

function drillLook(at: number | undefined, now: number): Look {
  if (at === undefined) return found([{ evidence: 'no restore was ever tried' }])
  const days = Math.floor((now - at) / DAY_MS)
  return foundIf(days > MAX_DRILL_AGE_DAYS, {
    severity: 'medium',
    evidence: `the last restore was tried ${days} days ago`,
  })
}

export const PLACE_CHECKS: readonly Check[] = [pin, files, soft, officer, backup]
