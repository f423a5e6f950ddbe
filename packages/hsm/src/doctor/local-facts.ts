/** What this machine shows of a device: its module, its configuration files, its PIN. Never a secret. */
import { createHash } from 'node:crypto'
import { readFileSync, realpathSync, statSync } from 'node:fs'
import { dirname, isAbsolute, join } from 'node:path'
import type { Secret } from '@quorate/base'
import type { DeviceSettings } from '../device.ts'
import {
  type Fact,
  type FileFacts,
  known,
  type LibraryFacts,
  type PinFacts,
  type PinOrigin,
  unknown,
} from './facts.ts'

/** The file behind `path` and its directory, links followed. */
export function fileFacts(path: string): Fact<FileFacts> {
  try {
    const real = realpathSync(path)
    const { mode, uid } = statSync(real)
    const directory = statSync(dirname(real))
    return known({
      path,
      mode: mode & 0o7777,
      uid,
      directory: { mode: directory.mode & 0o7777, uid: directory.uid },
    })
  } catch (error) {
    return unreadable(path, error)
  }
}

export const unreadable = (path: string, error: unknown): { readonly unknown: string } =>
  unknown(`${path} cannot be read (${(error as NodeJS.ErrnoException).code ?? 'damaged'})`)

/** The module of `settings`. `pinnedSha256`: in hex, what the configuration demands. */
export function libraryFacts(
  settings: DeviceSettings | undefined,
  pinnedSha256: string | undefined,
): Fact<LibraryFacts> {
  if (settings === undefined) return unknown('the device has no module')
  const file = fileFacts(settings.library)
  if ('unknown' in file) return file
  try {
    const sha256 = createHash('sha256').update(readFileSync(settings.library)).digest('hex')
    return known({
      file: file.value,
      sha256,
      ...(pinnedSha256 === undefined ? {} : { pinnedSha256 }),
    })
  } catch (error) {
    return unreadable(settings.library, error)
  }
}

const LUNA_FILE = 'Chrystoki.conf'

/** Files and directories that the environment of the module names, where they are there. */
export const configurationFacts = (env: {
  readonly [name: string]: string
}): readonly FileFacts[] =>
  Object.values(env)
    .filter((value) => isAbsolute(value))
    .flatMap((path) => [path, join(path, LUNA_FILE)])
    .flatMap((path) => {
      const facts = fileFacts(path)
      return 'value' in facts ? [facts.value] : []
    })

export type GivenPin = {
  readonly origin: PinOrigin
  /** In UTF-8. */
  readonly bytes: Secret<Uint8Array>
  /** The file that holds it. */
  readonly path?: string
}

const COMMON: readonly string[] = [
  '123123',
  'admin',
  'changeit',
  'changeme',
  'default',
  'password',
  'passw0rd',
  'qwerty',
  'secret',
  'so-pin',
  'sopin',
  'test',
  'user-pin',
  'userpin',
]

/** How good a PIN is, and who says so. Treats the PIN as secret: nothing of it is in the result but its length. */
export function pinFacts(pin: GivenPin | undefined, type: string): Fact<PinFacts> {
  if (pin === undefined) return unknown('no PIN was given')
  const [account, password] = partsOf(new TextDecoder().decode(pin.bytes.expose()), type)
  const file = pin.path === undefined ? undefined : fileFacts(pin.path)
  return known({
    origin: pin.origin,
    length: password.length,
    isCommon: COMMON.includes(password.toLowerCase()) || isSteady(password),
    ...(account === undefined ? {} : { account }),
    ...(file !== undefined && 'value' in file ? { file: file.value } : {}),
  })
}

const YUBIHSM_KEY_ID = /^[0-9a-fA-F]{4}/

/** The account that the PIN of some vendors begins with, and the rest. */
function partsOf(text: string, type: string): readonly [string | undefined, string] {
  if (type === 'yubihsm2' && YUBIHSM_KEY_ID.test(text)) return [text.slice(0, 4), text.slice(4)]
  const colon = type === 'aws-cloudhsm' ? text.indexOf(':') : -1
  return colon < 0 ? [undefined, text] : [text.slice(0, colon), text.slice(colon + 1)]
}

/** Whether each character is as far from the one before as every other: 1111, 1234, 8642, abcd. */
function isSteady(text: string): boolean {
  const codes = Array.from(text, (character) => character.codePointAt(0) ?? 0)
  const steps = codes.slice(1).map((code, i) => code - (codes[i] ?? 0))
  return steps.every((step) => step === steps[0])
}
