/**
 * A token with an attacker in it: somebody who has the user PIN and the module, and wants the
 * value of a key that the token is to keep. Beside them works a session of our layer.
 */
import assert from 'node:assert/strict'
import { createCipheriv, createDecipheriv } from 'node:crypto'
import { after } from 'node:test'
import { fromHex, Secret, utf8 } from '@quorate/base'
import { type KeyId, parseKeyId } from '@quorate/hsm'
import type { DeviceKeyRequest, DeviceSession } from '#src/device.js'
import type { Template } from '#src/pkcs11/attributes.js'
import { CKK, CKO } from '#src/pkcs11/constants.js'
import { openDevice } from '#src/pkcs11/session.js'
import { adopt } from '../modules/fixture.ts'
import { type ModuleName, openModule } from '../modules/modules.ts'
import { RawModule, type RawSession, refusedWith, USER } from '../raw/raw-module.ts'

export type Stage = {
  /** The attacker's. */
  readonly raw: RawSession
  /** Ours. */
  readonly device: DeviceSession
}

/** For the top level of a file: a stage until the end of its tests, or why there is none. */
export async function openStage(
  name: ModuleName = 'softhsm',
): Promise<Stage | { readonly absent: string }> {
  const module = await openModule(name, { after })
  if (!module.available) return { absent: module.reason }
  adopt(module.settings)
  const cryptoki = new RawModule(module.library, module.settings.initArgs)
  const raw = cryptoki.open(cryptoki.slotOf(module.settings.token.label ?? ''))
  raw.login(USER, module.pin)
  const pin = new Secret(utf8(module.pin))
  return { raw, device: openDevice(module.settings, pin, new SharedArrayBuffer(8)) }
}

const IV = new Uint8Array(16)
/** Wraps keys, encrypts and decrypts: the three in one mechanism make the attack. */
export const CBC = { name: 'AES_CBC', param: IV } as const

/** An AES key of the attacker's making, in this session only. */
export const rawAes = (raw: RawSession, template: Template): bigint =>
  raw.generateKey('AES_KEY_GEN', { VALUE_LEN: 32, SENSITIVE: true, ...template })

/** A key whose value the attacker chose. */
export const knownAes = (raw: RawSession, value: Uint8Array, template: Template): bigint =>
  raw.create({
    CLASS: CKO.SECRET_KEY,
    KEY_TYPE: CKK.AES,
    VALUE: value,
    SENSITIVE: true,
    EXTRACTABLE: false,
    ...template,
  })

/** Whether `value` is the value of the AES key: the token must be able to encrypt with it. */
export function isValueOf(raw: RawSession, key: bigint, value: Uint8Array): boolean {
  const plaintext = new Uint8Array(32).fill(9)
  const cipher = createCipheriv('aes-256-cbc', value, IV).setAutoPadding(false)
  const expected = Buffer.concat([cipher.update(plaintext), cipher.final()])
  return expected.equals(raw.encrypt(CBC, key, plaintext))
}

export function cbcDecrypt(key: Uint8Array, ciphertext: Uint8Array): Uint8Array {
  const cipher = createDecipheriv('aes-256-cbc', key, IV).setAutoPadding(false)
  return new Uint8Array(Buffer.concat([cipher.update(ciphertext), cipher.final()]))
}

/** Every key that our layer makes, by what it is for, with the handle of its secret or private part. */
export type OurKeys = { readonly [name in keyof typeof REQUESTS]: bigint }

const REQUESTS = {
  data: { id: parseKeyId('d0'), label: 'data', algorithm: 'aes-256' },
  wrappableData: { id: parseKeyId('d1'), label: 'data', algorithm: 'aes-256', isWrappable: true },
  wrapping: { id: parseKeyId('e0'), label: 'wrapping', algorithm: 'aes-256', use: 'wrapping' },
  mac: { id: parseKeyId('f0'), label: 'mac', algorithm: 'hmac-sha256' },
  ed25519: { id: parseKeyId('a0'), label: 'signing', algorithm: 'ed25519' },
  p256: { id: parseKeyId('a1'), label: 'signing', algorithm: 'p256' },
  secp256k1: { id: parseKeyId('a2'), label: 'signing', algorithm: 'secp256k1' },
} as const satisfies { readonly [name: string]: DeviceKeyRequest }

export function makeOurKeys({ raw, device }: Stage): OurKeys {
  const made = Object.entries(REQUESTS).map(([name, request]) => {
    device.generateKey(request)
    return [name, secretPart(raw, request.id)]
  })
  return Object.fromEntries(made) as OurKeys
}

function secretPart(raw: RawSession, id: KeyId): bigint {
  const found = [CKO.SECRET_KEY, CKO.PRIVATE_KEY].flatMap((CLASS) =>
    raw.find({ CLASS, ID: fromHex(id) }),
  )
  assert.equal(found.length, 1)
  return found[0]!
}

/** How a token says no to an attack. */
export const isRefused = refusedWith(
  'ACTION_PROHIBITED',
  'ATTRIBUTE_READ_ONLY',
  'ATTRIBUTE_SENSITIVE',
  'KEY_FUNCTION_NOT_PERMITTED',
  'KEY_NOT_WRAPPABLE',
  'KEY_UNEXTRACTABLE',
  'MECHANISM_INVALID',
  'TEMPLATE_INCONSISTENT',
  'ATTRIBUTE_VALUE_INVALID',
)
