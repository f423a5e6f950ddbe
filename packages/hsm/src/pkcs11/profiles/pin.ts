/**
 * The forms of PINs. A refusal teaches the form and never shows the PIN, which is looked at as bytes
 * only: a string of it could not be wiped.
 */
import { Fault, utf8 } from '@quorate/base'
import type { PinForm, Profile } from './profile.ts'

type Rule = {
  readonly form: string
  readonly example: string
  accepts(pin: Uint8Array): boolean
}

const [COLON, HASH, AT] = [0x3a, 0x23, 0x40] as const
const HEX = utf8('0123456789abcdefABCDEF')
const API_KEY = utf8('ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/=_:-')
const FILE = utf8('file:///')

const consistsOf = (alphabet: Uint8Array, bytes: Uint8Array): boolean =>
  bytes.every((byte) => alphabet.includes(byte))

/** What stands behind the mark of how the authentication key is held. */
function withoutMark(pin: Uint8Array): Uint8Array {
  if (pin[0] === AT) return pin.subarray(1)
  return pin.subarray(pin.indexOf(HASH) + 1)
}

const RULES: { readonly [F in PinForm]: Rule } = {
  plain: {
    form: 'the user PIN of the token',
    example: '1234',
    accepts: (pin) => pin.length > 0,
  },
  'user:password': {
    form: 'the name of a crypto user, a colon and its password',
    example: 'alice:correct-horse',
    accepts: (pin) => pin.indexOf(COLON) > 0 && pin.indexOf(COLON) < pin.length - 1,
  },
  'hex-key-id+password': {
    form: 'four hex digits, the id of the authentication key, directly followed by its password of 8 characters or more',
    example: '0001password',
    accepts(pin) {
      // Only the label of a key may stand before the first #; a password may hold one too.
      return [pin, withoutMark(pin)].some(
        (bytes) => bytes.length >= 12 && consistsOf(HEX, bytes.subarray(0, 4)),
      )
    },
  },
  'api-key': {
    form: 'the API key of the application, or file:// with the path of a file that holds it',
    example: 'file:///etc/fortanix/api-key',
    accepts: (pin) =>
      (pin.length > FILE.length && FILE.every((byte, i) => pin[i] === byte)) ||
      (pin.length >= 16 && consistsOf(API_KEY, pin)),
  },
}

/** @throws hsm/bad-pin, which says what a PIN of this device looks like and nothing of the one given */
export function checkPin(profile: Profile, pin: Uint8Array): void {
  const { form, example, accepts } = RULES[profile.pinForm]
  if ([0x0a, 0x0d, 0x00].some((byte) => pin.includes(byte)))
    throw new Fault('hsm/bad-pin', { detail: 'it contains a line break or a zero byte' })
  if (!accepts(pin))
    throw new Fault('hsm/bad-pin', { detail: `${profile.name} takes ${form}, e.g. ${example}` })
}
