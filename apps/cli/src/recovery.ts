/**
 * Recovery recipients as files and as secrets: the public entry that goes into the cluster record, and
 * the secret of one by its words, its key file or its HSM.
 */
import { RECIPIENT_KINDS, type Recipient, type RecipientKind } from '@quorate/auth'
import {
  equalBytes,
  Fault,
  fromHex,
  fromUtf8,
  isName,
  type Secret,
  TAGS,
  tagged,
  toHex,
  utf8,
  wipe,
} from '@quorate/base'
import { recipientKeyOf } from '@quorate/enclave'
import { hsmSealer, openHsm } from '@quorate/hsm'
import { combineMnemonics } from '@quorate/math'
import { readFile, systemClock } from '@quorate/platform'
import type { Given } from './command.ts'
import { readJson } from './files.ts'
import { deviceOf } from './hsm-device.ts'

/** Label of the key in an HSM that seals a recipient's secret. */
export const recoveryLabel = (name: string): string => `quorate-recovery-${name}`

/** What the sealing by an HSM is bound to. */
export const recoveryContext = (name: string): Uint8Array =>
  tagged(TAGS.backupRecipient, utf8(name))

const HEX_32 = /^[0-9a-f]{64}$/

/** The entry as JSON, for `quorate cluster propose --recipient`. */
export const recipientJson = ({ name, kind, key, sealed, nodes }: Recipient): object => ({
  recipient: name,
  kind,
  key: toHex(key),
  ...(sealed !== undefined && { sealed: toHex(sealed) }),
  ...(nodes !== undefined && { nodes }),
})

/** The entry in a file of `quorate backup recipients`. @throws cli/bad-file */
export function readRecipient(path: string): Recipient {
  const { recipient, kind, key, sealed, nodes } = readJson(path) as {
    readonly [name: string]: unknown
  }
  const isSound =
    typeof recipient === 'string' &&
    isName(recipient) &&
    typeof key === 'string' &&
    HEX_32.test(key) &&
    (RECIPIENT_KINDS as readonly unknown[]).includes(kind) &&
    (sealed === undefined || (typeof sealed === 'string' && /^([0-9a-f]{2})+$/.test(sealed))) &&
    (nodes === undefined || (Array.isArray(nodes) && nodes.every((n) => Number.isInteger(n))))
  if (!isSound)
    throw new Fault('cli/bad-file', { detail: `${path} is none of quorate backup recipients` })
  return {
    name: recipient,
    kind: kind as RecipientKind,
    key: fromHex(key),
    ...(typeof sealed === 'string' && { sealed: fromHex(sealed) }),
    ...(nodes !== undefined && { nodes: nodes as readonly number[] }),
  }
}

/**
 * The secret that the options name, 32 bytes; the caller wipes it.
 * @throws cli/missing-argument, cli/bad-value, cli/bad-file, math/bad-share, math/bad-shares, hsm/…
 */
export async function readRecoverySecret(
  given: Given,
  recipients: readonly Recipient[],
): Promise<Uint8Array> {
  const file = given.text('secret-file')
  const shares = given.list('share-file')
  const hsm = given.text('recovery-hsm')
  const ways = [file !== undefined, shares.length > 0, hsm !== undefined]
  if (ways.filter((is) => is).length > 1)
    throw new Fault('cli/bad-value', {
      detail: 'give one of --secret-file, --share-file and --recovery-hsm',
    })
  const secret =
    file !== undefined
      ? secretIn(file)
      : shares.length > 0
        ? combineMnemonics(shares.map(wordsIn))
        : hsm !== undefined
          ? await secretOf(given, hsm, recipients)
          : undefined
  if (secret === undefined)
    throw new Fault('cli/missing-argument', {
      detail: '--secret-file, --share-file or --recovery-hsm',
    })
  const key = recipientKeyOf(secret)
  if (!recipients.some((each) => equalBytes(each.key, key))) {
    wipe(secret)
    throw new Fault('cli/bad-value', {
      detail: 'the secret is of no recipient of the cluster record',
    })
  }
  return secret
}

function secretIn(path: string): Uint8Array {
  const bytes = readFile(path, { maxBytes: 256, isSecret: true })
  try {
    const text = fromUtf8(bytes)?.trim() ?? ''
    if (!HEX_32.test(text))
      throw new Fault('cli/bad-file', { detail: `${path} holds no secret of a recipient` })
    return fromHex(text)
  } finally {
    wipe(bytes)
  }
}

/** The words of a share in a file that only its owner can read. @throws platform/file-unreadable */
export function wordsIn(path: string): string {
  const bytes = readFile(path, { maxBytes: 4096, isSecret: true })
  try {
    return (fromUtf8(bytes) ?? '').trim().replace(/\s+/g, ' ')
  } finally {
    wipe(bytes)
  }
}

async function secretOf(
  given: Given,
  uri: string,
  recipients: readonly Recipient[],
): Promise<Uint8Array> {
  const asked = given.text('recipient')
  const fitting = recipients.filter(
    ({ name, kind }) => kind === 'hsm' && (asked === undefined || name === asked),
  )
  const [one] = fitting
  if (one?.sealed === undefined || fitting.length > 1)
    throw new Fault('cli/bad-value', { detail: '--recipient names which recipient of kind hsm' })
  const pinFile = given.text('recovery-pin-file')
  const device = await deviceOf({ uri, pinFile }, { environment: 'production' })
  const { provider, close } = await openHsm(device.config, { clock: systemClock, pin: device.pin })
  try {
    const { id } = await provider.find({ label: recoveryLabel(one.name) })
    return await hsmSealer(provider, id).open(one.sealed, recoveryContext(one.name))
  } finally {
    await close()
  }
}

/** The secret in lower-case hex with a line end, as `--secret-file` takes it. */
export const secretText = (secret: Secret<Uint8Array>): string => `${toHex(secret.expose())}\n`
