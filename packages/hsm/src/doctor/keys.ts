/** Checks of the keys in a token: how each is guarded, and what may be done with it. */
import type { ObjectFacts } from '../device.ts'
import { blind, type Check, found, foundIf, type Look, together, withFact } from './check.ts'
import type { DoctorFacts } from './facts.ts'

const NOT_TOLD = 'the token does not tell'

const isSecret = ({ class: kind }: ObjectFacts): boolean =>
  kind === 'CKO_PRIVATE_KEY' || kind === 'CKO_SECRET_KEY'

const nameOf = ({ label, id }: ObjectFacts): string =>
  `${label === '' ? 'a key without a label' : `"${label}"`}${id === '' ? '' : ` (id ${id})`}`

/** A key, and what it says of an attribute; undefined where it says nothing that can be believed. */
type Key = {
  readonly object: ObjectFacts
  readonly name: string
  says(attribute: string): boolean | undefined
}

/** What `look` says of each private and secret key. */
function eachKey(facts: DoctorFacts, look: (key: Key) => Look): Look {
  return withFact(facts.objects, (objects) =>
    together(...objects.filter(isSecret).map((object) => look(keyOf(facts, object)))),
  )
}

const keyOf = ({ unreliable }: DoctorFacts, object: ObjectFacts): Key => ({
  object,
  name: nameOf(object),
  says: (attribute) => (unreliable.includes(attribute) ? undefined : object.flags[attribute]),
})

/** Weak where the attribute has this value; blind where it is not told. */
function saysWrong({ name, says }: Key, attribute: string, wrong: boolean): Look {
  const value = says(attribute)
  if (value === undefined) return blind(`${NOT_TOLD} CKA_${attribute}`)
  return foundIf(value === wrong, { evidence: `${name}: CKA_${attribute} is ${wrong}` })
}

const extractable: Check = {
  id: 'D01',
  title: 'Key can leave the device',
  severity: 'high',
  fix: 'Make a new key that is not extractable, move its duties over, destroy this one.',
  look: (facts) => eachKey(facts, (key) => saysWrong(key, 'EXTRACTABLE', true)),
}

const notSensitive: Check = {
  id: 'D02',
  title: 'Value of a key is not kept secret',
  severity: 'critical',
  fix: 'Take the key as known to others: make a new one with CKA_SENSITIVE true and rotate to it.',
  look: (facts) =>
    eachKey(facts, (key) => {
      const look = saysWrong(key, 'SENSITIVE', false)
      // What may not be extracted is not revealed either, but it takes one attribute less to get there.
      const isHeld = key.says('EXTRACTABLE') === false
      return {
        ...look,
        weaknesses: look.weaknesses.map((weakness) => ({
          ...weakness,
          severity: isHeld ? 'medium' : 'critical',
        })),
      }
    }),
}

/** What is against a key's history; but what it is today already is said by the checks before. */
const HISTORY = [
  ['LOCAL', undefined],
  ['ALWAYS_SENSITIVE', 'SENSITIVE'],
  ['NEVER_EXTRACTABLE', 'EXTRACTABLE'],
] as const

const imported: Check = {
  id: 'D03',
  title: 'Key has been outside of the device, or may have been',
  severity: 'medium',
  fix: 'Generate the key in the device. If it had to be imported, keep a record of where else it is.',
  look: (facts) =>
    eachKey(facts, ({ name, says }) => {
      if (HISTORY.every(([attribute]) => says(attribute) === undefined))
        return blind(`${NOT_TOLD} where its keys come from`)
      const isWeakNow = {
        SENSITIVE: says('SENSITIVE') === false,
        EXTRACTABLE: says('EXTRACTABLE') === true,
      }
      const against = HISTORY.filter(
        ([attribute, now]) => says(attribute) === false && !(now !== undefined && isWeakNow[now]),
      )
      return foundIf(against.length > 0, {
        evidence: `${name}: ${against.map(([attribute]) => `CKA_${attribute}`).join(', ')} false`,
      })
    }),
}

/** Pairs of uses by which one key undoes what it did to another. */
const UNDOING = [
  ['WRAP', 'DECRYPT'],
  ['UNWRAP', 'ENCRYPT'],
] as const

const wrapAndDecrypt: Check = {
  id: 'D04',
  title: 'Key can wrap other keys and decrypt what it wrapped',
  severity: 'critical',
  fix: 'Use one key to wrap and another to encrypt; make both unmodifiable.',
  look: (facts) =>
    withFact(facts.objects, (objects) => {
      const secret = objects.filter(isSecret)
      const looks = secret.flatMap((object) =>
        UNDOING.map(([one, other]) => {
          const halves = [object, ...publicHalvesOf(object, objects)]
          const can = (use: string): boolean =>
            halves.some((half) => keyOf(facts, half).says(use) === true)
          return foundIf(can(one) && can(other), {
            evidence: `${nameOf(object)}: CKA_${one} and CKA_${other}`,
          })
        }),
      )
      return together(...looks)
    }),
}

/** Only RSA keys wrap and decrypt; that public keys of curves say so means nothing. */
const publicHalvesOf = (
  { keyType, id }: ObjectFacts,
  objects: readonly ObjectFacts[],
): readonly ObjectFacts[] =>
  objects.filter(
    (other) =>
      other.class === 'CKO_PUBLIC_KEY' &&
      keyType === 'CKK_RSA' &&
      other.keyType === keyType &&
      other.id === id &&
      id !== '',
  )

const openUnwrap: Check = {
  id: 'D05',
  title: 'Key unwraps into keys of any strength',
  severity: 'high',
  fix: 'Make a new wrapping key with CKA_UNWRAP_TEMPLATE {SENSITIVE true, EXTRACTABLE false} and CKA_WRAP_TEMPLATE.',
  look: (facts) =>
    eachKey(facts, ({ object, name, says }) => {
      const { hasUnwrapTemplate, hasWrapTemplate } = object
      return together(
        templateLook(name, says('UNWRAP'), hasUnwrapTemplate, 'CKA_UNWRAP_TEMPLATE', 'high'),
        templateLook(name, says('WRAP'), hasWrapTemplate, 'CKA_WRAP_TEMPLATE', 'low'),
      )
    }),
}

function templateLook(
  name: string,
  mayUse: boolean | undefined,
  hasTemplate: boolean | undefined,
  attribute: string,
  severity: 'high' | 'low',
): Look {
  if (mayUse !== true) return found([])
  if (hasTemplate === undefined) return blind(`${NOT_TOLD} ${attribute}`)
  return foundIf(!hasTemplate, { severity, evidence: `${name}: no ${attribute}` })
}

const anyWrapping: Check = {
  id: 'D06',
  title: 'Key can be wrapped under any key, also one that its taker knows',
  severity: 'high',
  fix: 'Make it anew with CKA_WRAP_WITH_TRUSTED, under a wrapping key that the security officer trusts; or not extractable.',
  look: (facts) =>
    eachKey(facts, (key) =>
      key.says('EXTRACTABLE') === true ? saysWrong(key, 'WRAP_WITH_TRUSTED', false) : found([]),
    ),
}

const trusted: Check = {
  id: 'D07',
  title: 'Key is trusted to wrap others, without a record',
  severity: 'medium',
  fix: 'Find out who trusted it. If it was the security officer, list its id as trusted; else destroy it.',
  look: (facts) =>
    eachKey(facts, ({ object, name, says }) =>
      foundIf(says('TRUSTED') === true && !facts.trustedKeys.includes(object.id), {
        evidence: `${name}: CKA_TRUSTED is true`,
      }),
    ),
}

const changeable: Check = {
  id: 'D08',
  title: 'Attributes of a key can be changed later',
  severity: 'medium',
  fix: 'Make a new key with CKA_MODIFIABLE (and, where the token has it, CKA_COPYABLE) false.',
  look: (facts) =>
    eachKey(facts, (key) =>
      together(
        saysWrong(key, 'MODIFIABLE', true),
        copyLook(key),
        foundIf(facts.environment === 'production' && key.says('DESTROYABLE') === true, {
          severity: 'info',
          evidence: `${key.name}: whoever has the PIN can destroy it`,
        }),
      ),
    ),
}

/** By the standard a copy may have other uses, but be no less secret; not every token holds to that. */
function copyLook(key: Key): Look {
  const { weaknesses, ...rest } = saysWrong(key, 'COPYABLE', true)
  return { ...rest, weaknesses: weaknesses.map((each) => ({ ...each, severity: 'low' })) }
}

const manyUses: Check = {
  id: 'D09',
  title: 'Private key has more than one purpose',
  severity: 'medium',
  fix: 'Make one key for each purpose.',
  look: (facts) =>
    eachKey(facts, ({ object, name, says }) => {
      if (object.class !== 'CKO_PRIVATE_KEY') return found([])
      const uses = ['SIGN', 'DERIVE', 'DECRYPT', 'UNWRAP'].filter((use) => says(use) === true)
      const isMixed = uses.includes('SIGN') && uses.length > 1
      return foundIf(isMixed, {
        evidence: `${name}: ${uses.map((use) => `CKA_${use}`).join(', ')}`,
      })
    }),
}

const visible: Check = {
  id: 'D10',
  title: 'Key can be used without a login',
  severity: 'high',
  fix: 'Make a new key with CKA_PRIVATE true and rotate to it.',
  look: (facts) => eachKey(facts, (key) => saysWrong(key, 'PRIVATE', false)),
}

const anyMechanism: Check = {
  id: 'D11',
  title: 'Key can be used with every mechanism of the token',
  severity: 'low',
  fix: 'Make a new key with CKA_ALLOWED_MECHANISMS.',
  look: (facts) =>
    eachKey(facts, ({ object, name }) => {
      const { allowedMechanisms } = object
      if (allowedMechanisms === undefined || facts.unreliable.includes('ALLOWED_MECHANISMS'))
        return blind('the token does not keep CKA_ALLOWED_MECHANISMS')
      return foundIf(allowedMechanisms.length === 0, {
        evidence: `${name}: no CKA_ALLOWED_MECHANISMS`,
      })
    }),
}

const ambiguous: Check = {
  id: 'D13',
  title: 'Keys cannot be told apart',
  severity: 'medium',
  fix: 'Destroy the key that is not wanted, or give one of them another id or label.',
  look: (facts) =>
    withFact(facts.objects, (objects) =>
      together(
        // A cipher key and its MAC key stand under one id, and are of different types.
        twins(objects, ({ class: kind, keyType, id }) =>
          id === '' ? undefined : `${kind} ${keyType} with id ${id}`,
        ),
        twins(objects.filter(isSecret), ({ class: kind, keyType, label }) =>
          label === '' ? undefined : `${kind} ${keyType} with label "${label}"`,
        ),
      ),
    ),
}

function twins(
  objects: readonly ObjectFacts[],
  nameFor: (object: ObjectFacts) => string | undefined,
): Look {
  const counts = new Map<string, number>()
  for (const object of objects) {
    const name = nameFor(object)
    if (name !== undefined) counts.set(name, (counts.get(name) ?? 0) + 1)
  }
  return found(
    [...counts]
      .filter(([, count]) => count > 1)
      .map(([name, count]) => ({ evidence: `${count} × ${name}` })),
  )
}

const DAY_MS = 86_400_000

const old: Check = {
  id: 'D14',
  title: 'Key is past its time',
  severity: 'medium',
  fix: 'Rotate to a new key; keep the old one only to verify or decrypt.',
  look: (facts) =>
    eachKey(facts, ({ object, name }) => {
      const { startDate, endDate } = object
      if (startDate === undefined && endDate === undefined)
        return blind('the token keeps no dates of its keys')
      const ended = endDate !== undefined && facts.now >= Date.parse(endDate) + DAY_MS
      const ageDays =
        startDate === undefined ? 0 : Math.floor((facts.now - Date.parse(startDate)) / DAY_MS)
      return together(
        foundIf(ended, { severity: 'high', evidence: `${name}: ended on ${endDate}` }),
        foundIf(!ended && ageDays > facts.cryptoperiodDays, {
          evidence: `${name}: ${ageDays} days old, ${facts.cryptoperiodDays} are allowed`,
        }),
      )
    }),
}

export const KEY_CHECKS: readonly Check[] = [
  extractable,
  notSensitive,
  imported,
  wrapAndDecrypt,
  openUnwrap,
  anyWrapping,
  trusted,
  changeable,
  manyUses,
  visible,
  anyMechanism,
  ambiguous,
  old,
]
