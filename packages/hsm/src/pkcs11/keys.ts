/**
 * Keys out of the objects of a token: what belongs together under one CKA_ID, and is of an algorithm
 * that we use. Handles of keys in use are kept until the session is renewed.
 */
import { equalBytes, Fault, fromHex, isFault, toHex } from '@quorate/base'
import type { PinnedKey } from '../device.ts'
import { DeviceFault } from '../errors.ts'
import type { KeyAlgorithm, KeyId, KeyInfo, KeyQuery } from '../provider.ts'
import type { Attributes } from './attributes.ts'
import type { Connection } from './connection.ts'
import { CKK, CKO } from './constants.ts'
import { algorithmOfParams, publicKeyOfPoint } from './ec.ts'
import { attributesOf, search } from './objects.ts'

export type LoadedKey = {
  readonly info: KeyInfo
  /** Of the private or secret key. */
  readonly handle: bigint
  /** The MAC key of an AES-CBC key. */
  readonly mac: bigint | undefined
  /** Of the public half. */
  readonly publicHandle: bigint | undefined
}

type Found = {
  readonly handle: bigint
  readonly id: string
  readonly attributes: Attributes
  readonly algorithm: KeyAlgorithm
  readonly isPublic: boolean
}

const AES_256_BYTES = 32
/** Longer ones cannot be ours. */
const MAX_ID_BYTES = 32

export class Keys {
  readonly #connection: Connection
  readonly #used = new Map<KeyId, LoadedKey>()

  constructor(connection: Connection) {
    this.#connection = connection
    connection.onRenewed = () => this.#used.clear()
  }

  /**
   * The key to work with, which is the pinned one.
   * @throws hsm/key-not-found, hsm/key-ambiguous, hsm/key-changed, CkrError
   */
  resolve(pinned: PinnedKey): LoadedKey {
    const key = this.#used.get(pinned.id) ?? this.find({ id: pinned.id })
    const { algorithm, publicKey } = key.info
    const isSame =
      algorithm === pinned.algorithm &&
      (publicKey === undefined
        ? pinned.publicKey === undefined
        : pinned.publicKey !== undefined && equalBytes(publicKey, pinned.publicKey))
    if (!isSame) throw new Fault('hsm/key-changed')
    this.#used.set(pinned.id, key)
    return key
  }

  /** The only key that matches. @throws hsm/key-not-found, hsm/key-ambiguous, hsm/bad-argument, CkrError */
  find({ id, label }: KeyQuery): LoadedKey {
    if (id === undefined && label === undefined)
      throw new Fault('hsm/bad-argument', { detail: 'an id or a label is needed' })
    const candidates = id === undefined ? this.all() : this.withId(id)
    const [found, another] = candidates.filter(
      ({ info }) => label === undefined || info.label === label,
    )
    if (found === undefined) throw new Fault('hsm/key-not-found')
    if (another !== undefined) throw new Fault('hsm/key-ambiguous')
    return found
  }

  /** Every key with that id. */
  withId(id: KeyId): readonly LoadedKey[] {
    return this.#load(search(this.#connection, { ID: fromHex(id) }), loadGroup)
  }

  /** Every key that can be used. */
  all(): readonly LoadedKey[] {
    const classes = [CKO.PRIVATE_KEY, CKO.SECRET_KEY, CKO.PUBLIC_KEY]
    const handles = classes.flatMap((CLASS) => search(this.#connection, { CLASS }))
    return this.#load(handles, (group) => {
      try {
        return loadGroup(group)
      } catch (error) {
        // One key out of order, which its own id still finds, must not hide the others.
        if (isFault(error)) return []
        throw error
      }
    })
  }

  /** After a key was destroyed. */
  forget(id: KeyId): void {
    this.#used.delete(id)
  }

  #load(handles: readonly bigint[], loadOne: typeof loadGroup): readonly LoadedKey[] {
    const groups = new Map<string, Found[]>()
    for (const handle of handles) {
      const found = this.#describe(handle)
      if (found === undefined) continue
      const group = groups.get(found.id)
      if (group === undefined) groups.set(found.id, [found])
      else group.push(found)
    }
    this.#connection.demandLogin()
    return [...groups.values()].flatMap(loadOne)
  }

  /** Undefined for what is no key of ours. */
  #describe(handle: bigint): Found | undefined {
    const common = attributesOf(this.#connection, handle, ['CLASS', 'KEY_TYPE', 'ID', 'LABEL'])
    const { CLASS, KEY_TYPE, ID } = common
    if (ID === undefined || ID.length === 0 || ID.length > MAX_ID_BYTES) return undefined
    const isPublic = CLASS === CKO.PUBLIC_KEY
    const isPair = isPublic || CLASS === CKO.PRIVATE_KEY
    if (!isPair && CLASS !== CKO.SECRET_KEY) return undefined
    const more = attributesOf(this.#connection, handle, [
      ...(isPair ? (['EC_PARAMS'] as const) : (['VALUE_LEN'] as const)),
      ...(isPublic
        ? (['EC_POINT'] as const)
        : (['SENSITIVE', 'EXTRACTABLE', 'START_DATE'] as const)),
    ])
    const attributes = { ...common, ...more }
    const algorithm = isPair ? pairAlgorithm(attributes) : secretAlgorithm(KEY_TYPE, more.VALUE_LEN)
    if (algorithm === undefined) return undefined
    return { handle, id: toHex(ID), attributes, algorithm, isPublic }
  }
}

function pairAlgorithm({ KEY_TYPE, EC_PARAMS }: Attributes): KeyAlgorithm | undefined {
  if (KEY_TYPE !== CKK.EC && KEY_TYPE !== CKK.EC_EDWARDS) return undefined
  return EC_PARAMS === undefined ? undefined : algorithmOfParams(EC_PARAMS)
}

function secretAlgorithm(
  keyType: number | undefined,
  length: number | undefined,
): KeyAlgorithm | undefined {
  // Some tokens do not know the length of a key that they unwrapped, and say 0.
  if (keyType === CKK.AES)
    return (length || AES_256_BYTES) === AES_256_BYTES ? 'aes-256' : undefined
  return keyType === CKK.GENERIC_SECRET || keyType === CKK.SHA256_HMAC ? 'hmac-sha256' : undefined
}

/** The keys of one CKA_ID. One AES key and one MAC key together are one key, that of AES-CBC. */
function loadGroup(found: readonly Found[]): readonly LoadedKey[] {
  const secrets = found.filter(({ isPublic }) => !isPublic)
  const [one, other] = secrets
  const pair = [one, other].map((each) => each?.algorithm)
  if (secrets.length === 2 && pair.includes('aes-256') && pair.includes('hmac-sha256')) {
    const [cipher, mac] = one?.algorithm === 'aes-256' ? [one, other] : [other, one]
    if (cipher !== undefined && mac !== undefined)
      return [
        {
          info: joined(cipher, mac),
          handle: cipher.handle,
          mac: mac.handle,
          publicHandle: undefined,
        },
      ]
  }
  return secrets.map((each) => {
    const half = publicHalf(each, found)
    return {
      info: infoOf(each, half),
      handle: each.handle,
      mac: undefined,
      publicHandle: half?.handle,
    }
  })
}

/** @throws hsm/key-ambiguous where there are several */
function publicHalf({ algorithm }: Found, found: readonly Found[]): Found | undefined {
  const [half, another] = found.filter((each) => each.isPublic && each.algorithm === algorithm)
  if (another !== undefined) throw new Fault('hsm/key-ambiguous')
  return half
}

function infoOf({ id, algorithm, attributes }: Found, half: Found | undefined): KeyInfo {
  const { LABEL = '', EXTRACTABLE = true, SENSITIVE = false, START_DATE } = attributes
  return {
    id: id as KeyId,
    label: LABEL,
    algorithm,
    ...publicKeyOf(algorithm, half),
    isExtractable: EXTRACTABLE,
    isSensitive: SENSITIVE,
    createdAt: START_DATE === undefined ? 0 : Date.parse(`${START_DATE}T00:00:00Z`),
  }
}

function publicKeyOf(algorithm: KeyAlgorithm, half: Found | undefined): Pick<KeyInfo, 'publicKey'> {
  if (algorithm === 'aes-256' || algorithm === 'hmac-sha256') return {}
  const point = half?.attributes.EC_POINT
  if (point === undefined)
    throw new DeviceFault('hsm/object-damaged', { detail: 'a private key without public half' })
  return { publicKey: publicKeyOfPoint(algorithm, point) }
}

/** As weak as the weaker of the two. */
function joined(cipher: Found, mac: Found): KeyInfo {
  const [one, other] = [infoOf(cipher, undefined), infoOf(mac, undefined)]
  return {
    ...one,
    isExtractable: one.isExtractable || other.isExtractable,
    isSensitive: one.isSensitive && other.isSensitive,
  }
}
