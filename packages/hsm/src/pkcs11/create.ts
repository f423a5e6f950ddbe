/**
 * Bringing a key into the token, made or moved there: alone under its id, judged by its template as
 * the token shows it, and never half of it.
 */
import { Fault } from '@quorate/base'
import type { DeviceKeyRequest } from '../device.ts'
import { DeviceFault } from '../errors.ts'
import { type KeyInfo, parseKeyId } from '../provider.ts'
import type { Template } from './attributes.ts'
import type { Connection } from './connection.ts'
import { CkrError } from './cryptoki.ts'
import { recoveryOf } from './faults.ts'
import type { Keys, LoadedKey } from './keys.ts'
import { attributesOf, destroyObjects } from './objects.ts'
import { expectedOf, namesOf, weaknesses } from './templates.ts'

/** One private or secret key to bring in, with its public half. */
export type Part = {
  /** By which it will be judged. */
  readonly asked: Template
  /** Handles of what was made, the private or secret key first. @throws CkrError */
  make(): readonly bigint[]
}

/** A label has 1 to 128 characters, an id 1 to 32 bytes. @throws hsm/bad-argument */
export function checkRequest(request: DeviceKeyRequest): void {
  const { id, label, algorithm, use, isWrappable, withTrusted } = request
  parseKeyId(id)
  if (label.length === 0 || label.length > 128)
    throw new Fault('hsm/bad-argument', { detail: 'a label has 1 to 128 characters' })
  if (use === 'wrapping' && algorithm !== 'aes-256')
    throw new Fault('hsm/bad-argument', { detail: 'only an aes-256 key can wrap others' })
  if (isWrappable === true && use === 'wrapping')
    throw new Fault('hsm/bad-argument', { detail: 'a key that wraps others stays in the device' })
  if (withTrusted === true && isWrappable !== true)
    throw new Fault('hsm/bad-argument', { detail: 'what never leaves is wrapped under nothing' })
}

/**
 * The new key under `request.id`, out of one part, or of a cipher's and a MAC's. Where the session is
 * lost half way the token is asked what came to be, so that no id gets two keys, and a key that is
 * there is not lost. `isImported`: its secret comes from outside.
 * @throws hsm/key-exists, hsm/weak-key, what `Connection.run` throws
 */
export function createKey(
  connection: Connection,
  keys: Keys,
  request: DeviceKeyRequest,
  plan: readonly Part[],
  isImported = false,
): KeyInfo {
  checkRequest(request)
  const look = (): State => stateOf(connection, keys, request, plan)
  const make = (parts: readonly Part[]): KeyInfo =>
    connection.once(() => makeAll(connection, keys, request, parts, isImported))
  const before = connection.run(look)
  if (before.isTaken) throw new Fault('hsm/key-exists')
  try {
    return make(before.left)
  } catch (error) {
    if (!(error instanceof CkrError)) throw error
    if (recoveryOf(error.ckr) === 'keep') throw connection.faultOf(error)
    const isWorthATry = connection.recover(error)
    const after = connection.run(look)
    if (after.done !== undefined) {
      const { done } = after
      return connection.run(() => accept(connection, keys, request, plan, done, isImported))
    }
    if (!isWorthATry || after.isTaken) throw connection.faultOf(error)
    return connection.run(() => make(after.left))
  }
}

type State = {
  /** Parts that are not there yet. */
  readonly left: readonly Part[]
  /** Handles of all parts, where all of them are there. */
  readonly done: readonly (readonly bigint[])[] | undefined
  /** Whether the id belongs to something else, or to a whole key. */
  readonly isTaken: boolean
}

function stateOf(
  connection: Connection,
  keys: Keys,
  request: DeviceKeyRequest,
  plan: readonly Part[],
): State {
  const [key, another] = keys.withId(request.id)
  if (key === undefined) return { left: plan, done: undefined, isTaken: false }
  const { label, algorithm } = key.info
  const isOther =
    another !== undefined || label !== request.label || algorithm !== request.algorithm
  if (isOther) return { left: [], done: undefined, isTaken: true }
  const handles = handlesOf(key)
  if (handles.length === plan.length) return { left: [], done: handles, isTaken: true }
  // A cipher's key whose MAC key was never made: nobody can have used it yet.
  const [cipher, ...rest] = plan
  const isOurs =
    cipher !== undefined &&
    handles.length === 1 &&
    weaknessesOf(connection, key.handle, cipher.asked, false).length === 0
  return isOurs
    ? { left: rest, done: undefined, isTaken: false }
    : { left: [], done: undefined, isTaken: true }
}

/** In the order of the parts that make such a key. */
const handlesOf = ({ handle, mac, publicHandle }: LoadedKey): readonly (readonly bigint[])[] => [
  publicHandle === undefined ? [handle] : [handle, publicHandle],
  ...(mac === undefined ? [] : [[mac]]),
]

function makeAll(
  connection: Connection,
  keys: Keys,
  request: DeviceKeyRequest,
  parts: readonly Part[],
  isImported: boolean,
): KeyInfo {
  const made: (readonly bigint[])[] = []
  try {
    for (const part of parts) made.push(part.make())
  } catch (error) {
    destroyObjects(connection, made.flat())
    throw error
  }
  return accept(connection, keys, request, parts, made, isImported)
}

/** The key as the token shows it, once it proves to be what was asked for; else all of `made` is destroyed. */
function accept(
  connection: Connection,
  keys: Keys,
  request: DeviceKeyRequest,
  parts: readonly Part[],
  made: readonly (readonly bigint[])[],
  isImported: boolean,
): KeyInfo {
  try {
    for (const [i, { asked }] of parts.entries()) {
      const handle = made[i]?.[0]
      if (handle === undefined) throw new Fault('hsm/key-not-found')
      const weak = weaknessesOf(connection, handle, asked, isImported)
      if (weak.length > 0) throw new DeviceFault('hsm/weak-key', { detail: weak.join(', ') })
    }
    const [key, another] = keys.withId(request.id)
    if (key === undefined) throw new Fault('hsm/key-not-found')
    // Somebody else made one at the same moment. Neither has been told to anybody yet.
    if (another !== undefined) throw new Fault('hsm/key-exists')
    keys.forget(request.id)
    return key.info
  } catch (error) {
    if (!(error instanceof CkrError)) destroyObjects(connection, made.flat())
    throw error
  }
}

function weaknessesOf(
  connection: Connection,
  handle: bigint,
  asked: Template,
  isImported: boolean,
): readonly string[] {
  const expected = expectedOf(connection.profile, asked, isImported)
  return weaknesses(expected, attributesOf(connection, handle, namesOf(expected)))
}
