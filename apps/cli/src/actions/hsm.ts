/** hsm list, generate, sign, verify, status and sample-config. */
import { Fault, fromHex, toHex } from '@quorate/base'
import {
  CUSTODY,
  generateBackedUpKey,
  HSM_TYPES,
  hasCapability,
  type KeyAlgorithm,
  type KeyInfo,
  parseKeyId,
  type SignInput,
  sampleConfig,
} from '@quorate/hsm'
import type { Given, Run } from '../command.ts'
import { readBytes } from '../files.ts'
import { findKey, withHsm } from '../hsm-open.ts'
import { table } from '../output.ts'

const ALGORITHMS: readonly KeyAlgorithm[] = [
  'ed25519',
  'p256',
  'secp256k1',
  'aes-256',
  'hmac-sha256',
]

const keyJson = ({ publicKey, createdAt, ...key }: KeyInfo): object => ({
  ...key,
  publicKey: publicKey === undefined ? null : toHex(publicKey),
  createdAt: createdAt > 0 ? new Date(createdAt).toISOString() : null,
})

const keyRow = ({ label, algorithm, id, publicKey, isExtractable }: KeyInfo): readonly string[] => [
  label,
  algorithm,
  id,
  isExtractable ? 'EXTRACTABLE' : 'stays inside',
  publicKey === undefined ? '-' : toHex(publicKey),
]

export const list: Run = (given, output) =>
  withHsm(given, output, async ({ provider }) => {
    const keys = await provider.list()
    output.result({ items: keys.map(keyJson) }, () =>
      keys.length === 0
        ? ['There is no key. quorate hsm generate makes one.']
        : table([['LABEL', 'ALGORITHM', 'ID', 'SECRET', 'PUBLIC KEY'], ...keys.map(keyRow)]),
    )
  })

/** @throws cli/bad-value naming the known ones */
function algorithmOf(text: string, among: readonly KeyAlgorithm[]): KeyAlgorithm {
  const found = among.find((each) => each === text)
  if (found !== undefined) return found
  throw new Fault('cli/bad-value', { detail: `--algorithm takes one of ${among.join(', ')}` })
}

export const generate: Run = (given, output) => {
  const label = given.required('label')
  const algorithm = algorithmOf(given.text('algorithm') ?? 'ed25519', ALGORITHMS)
  const id = given.text('id')
  return withHsm(given, output, async ({ provider, custody }) => {
    const request = { label, algorithm, ...(id !== undefined && { id: parseKeyId(id) }) }
    const key = given.flag('wrappable')
      ? await generateBackedUpKey(provider, request)
      : await provider.generateKey(request)
    const leaves = key.isExtractable ? 'leaves wrapped only' : 'never leaves'
    output.result({ ...keyJson(key), custody }, () => [
      `The HSM has a new ${algorithm} key, custody ${custody}. Its secret ${leaves}.`,
      ...table([
        ['  label', key.label],
        ['  id', key.id],
        ...(key.publicKey === undefined ? [] : [['  public key', toHex(key.publicKey)]]),
      ]),
    ])
  })
}

/** @throws cli/missing-argument, cli/bad-value, cli/file-not-found */
function inputOf(given: Given): SignInput {
  const [file, digest] = [given.text('in'), given.text('digest')]
  if (file !== undefined && digest !== undefined)
    throw new Fault('cli/bad-value', { detail: '--in and --digest exclude each other' })
  if (digest !== undefined) return { digest: hexOf('--digest', digest, 32) }
  if (file === undefined) throw new Fault('cli/missing-argument', { detail: '--in or --digest' })
  return { message: readBytes(file) }
}

function hexOf(what: string, text: string, bytes: number): Uint8Array {
  if (/^[0-9a-fA-F]*$/.test(text) && text.length === 2 * bytes) return fromHex(text.toLowerCase())
  throw new Fault('cli/bad-value', { detail: `${what} takes ${bytes} bytes in hex` })
}

export const sign: Run = (given, output) => {
  const [named, input] = [given.required('key'), inputOf(given)]
  return withHsm(given, output, async ({ provider }) => {
    const { id, algorithm } = await findKey(provider, named)
    const signature = toHex(await provider.sign(id, input))
    output.result({ key: id, algorithm, signature }, () => [signature])
  })
}

export const verify: Run = (given, output) => {
  const [named, input] = [given.required('key'), inputOf(given)]
  const signature = hexOf('--signature', given.required('signature'), 64)
  return withHsm(given, output, async ({ provider }) => {
    const { id, algorithm, label } = await findKey(provider, named)
    const isValid = await provider.verify(id, input, signature)
    output.result({ key: id, algorithm, isValid }, () => [
      isValid ? `The signature is of ${label}.` : `The signature is not of ${label}.`,
    ])
    if (!isValid) throw new Fault('cli/does-not-verify')
  })
}

export const status: Run = (given, output) =>
  withHsm(given, output, async ({ provider, custody, hosted, device }) => {
    const { type } = device.config
    const [info, health, token] = await Promise.all([
      provider.info(),
      provider.health(),
      hosted?.token(),
    ])
    const capabilities = (['wrap', 'attest', 'import', 'derive', 'tamper'] as const).filter(
      (each) => hasCapability(provider, each),
    )
    const reason = health.state === 'failed' ? health.reason : undefined
    output.result(
      {
        ...info,
        type,
        custody,
        health,
        capabilities,
        token:
          token === undefined
            ? null
            : {
                label: token.label,
                slot: token.slot,
                model: token.model,
                firmware: token.firmware,
              },
        library: token?.library ?? null,
      },
      () =>
        table([
          ['  type', type],
          ['  name', info.name],
          ['  custody', custody],
          ['  health', reason === undefined ? 'ok' : `failed: ${reason}`],
          ['  serial', info.serial],
          ...(token === undefined
            ? []
            : [
                ['  token', `${token.label} in slot ${token.slot}, firmware ${token.firmware}`],
                ['  library', `${token.library.description} ${token.library.version}`],
              ]),
          ['  algorithms', info.algorithms.join(', ')],
          ['  can also', capabilities.length === 0 ? '-' : capabilities.join(', ')],
        ]),
    )
    if (reason !== undefined) throw new Fault('hsm/unavailable', { detail: reason })
  })

export const sample: Run = async (given, output) => {
  const [vendor] = given.arguments
  if (vendor === undefined) {
    const items = HSM_TYPES.map((type) => ({ type, custody: CUSTODY[type] }))
    output.result({ items }, () =>
      table([['TYPE', 'CUSTODY'], ...items.map(({ type, custody }) => [type, custody])]),
    )
    return
  }
  const config = sampleConfig(vendor)
  output.result({ type: vendor, config }, () => config.trimEnd().split('\n'))
}
