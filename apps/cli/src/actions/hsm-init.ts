/** hsm init: a device for development, or the keys of a node in one that is there. */
import { join, resolve } from 'node:path'
import { Fault, isFault, type Secret, toHex, utf8 } from '@quorate/base'
import {
  type HsmProvider,
  type HsmType,
  initSoftToken,
  type KeyAlgorithm,
  type KeyInfo,
  openHsm,
  pinFromDescriptor,
  pinFromFile,
} from '@quorate/hsm'
import { systemClock, writeFileAtomic } from '@quorate/platform'
import type { Given, Run } from '../command.ts'
import { withHsm } from '../hsm-open.ts'
import { type Output, table } from '../output.ts'
import { askSecret } from '../pin.ts'

export const init: Run = (given, output) => {
  const [type] = given.arguments
  if (type === undefined) return initKeys(given, output)
  const make = Object.hasOwn(MAKERS, type) ? MAKERS[type] : undefined
  if (make === undefined)
    throw new Fault('cli/bad-value', {
      detail: `TYPE takes ${Object.keys(MAKERS).join(', ')}; other devices are initialised with the tools of their vendor`,
    })
  return make(given, output)
}

const MAKERS: { readonly [type: string]: Run } = {
  softhsm: initSoftHsm,
  software: (given, output) => initDirectory('software', given, output),
  simulated: (given, output) => initDirectory('simulated', given, output),
}

/** @throws cli/missing-argument where there is neither a file nor a terminal */
async function newPin(given: Given, what: string): Promise<Secret<Uint8Array>> {
  const file = given.text('pin-file')
  if (file === '-') return pinFromDescriptor(0)
  if (file !== undefined) return pinFromFile(resolve(file))
  const pin = await askSecret(`New ${what}: `)
  if (pin === undefined) throw new Fault('cli/missing-argument', { detail: '--pin-file' })
  const again = await askSecret('The same again: ')
  const isSame = again !== undefined && toHex(again.expose()) === toHex(pin.expose())
  again?.[Symbol.dispose]()
  if (isSame) return pin
  pin[Symbol.dispose]()
  throw new Fault('cli/not-confirmed', { detail: `the two ${what}s differ` })
}

async function initSoftHsm(given: Given, output: Output): Promise<void> {
  const directory = resolve(given.required('directory'))
  const label = given.text('token-label') ?? 'quorate'
  const pin = await newPin(given, 'PIN')
  try {
    output.progress('making the token')
    const { uri, configuration, library, soPinFile } = await initSoftToken({
      directory,
      label,
      pin,
    })
    const pinFile = given.text('pin-file')
    const config = join(directory, 'hsm.yaml')
    const lines = [
      'type: softhsm',
      `library: ${JSON.stringify(library)}`,
      `token: ${JSON.stringify(label)}`,
      ...(pinFile === undefined || pinFile === '-'
        ? []
        : [`pinFile: ${JSON.stringify(resolve(pinFile))}`]),
      'env:',
      `  - ${JSON.stringify(`SOFTHSM2_CONF=${configuration}`)}`,
    ]
    writeFileAtomic(config, utf8(`${lines.join('\n')}\n`))
    output.result(
      {
        type: 'softhsm',
        custody: 'software',
        uri,
        config,
        soPinFile,
        environment: { SOFTHSM2_CONF: configuration },
      },
      () => [
        `There is a new SoftHSM token ${label} in ${directory}, custody software.`,
        ...table([
          ['  configuration', config],
          ['  address', uri],
          ['  its environment', `SOFTHSM2_CONF=${configuration}`],
          ['  PIN of its officer', soPinFile],
        ]),
        `Try: quorate hsm status --hsm-config ${config}`,
      ],
    )
  } finally {
    pin[Symbol.dispose]()
  }
}

async function initDirectory(
  type: Extract<HsmType, 'software' | 'simulated'>,
  given: Given,
  output: Output,
): Promise<void> {
  const directory = resolve(given.required('directory'))
  const pin = type === 'software' ? await newPin(given, 'passphrase') : undefined
  const hsm = await openHsm(
    { type, directory, environment: 'development' },
    { clock: systemClock, pin },
  )
  await hsm.close()
  const uri = `${type}:${encodeURI(directory).replaceAll('?', '%3F')}`
  output.result({ type, custody: hsm.custody, uri }, () => [
    `There is a ${type} HSM in ${directory}, custody ${hsm.custody}.`,
    `Try: quorate hsm status --hsm ${uri}`,
  ])
}

/** The keys that a node needs, in a token that the tools of its vendor have initialised. */
const initKeys = (given: Given, output: Output): Promise<void> =>
  withHsm(given, output, async ({ provider, custody, device }) => {
    const { algorithms } = await provider.info()
    if (!algorithms.includes('aes-256'))
      throw new Fault('enclave/hsm-cannot-seal', { detail: `it has ${algorithms.join(', ')}` })
    const keyLabel = given.text('key-label') ?? device.keyLabel ?? 'quorate-store'
    const sealing = await findOrMake(provider, keyLabel, 'aes-256')
    const identityLabel = given.text('identity-label') ?? device.identityLabel ?? 'quorate-identity'
    const identity = algorithms.includes('ed25519')
      ? await findOrMake(provider, identityLabel, 'ed25519')
      : undefined
    output.result(
      {
        custody,
        sealing: keyJson(sealing),
        identity: identity === undefined ? null : keyJson(identity),
        settings: {
          'hsm.keyLabel': keyLabel,
          ...(identity && { 'hsm.identityLabel': identityLabel }),
        },
      },
      () => [
        `The keys of one node are in the HSM, custody ${custody}:`,
        ...table([
          ['  seals shares', keyLabel, stateOf(sealing)],
          identity === undefined
            ? ['  identity', '-', 'the HSM has no Ed25519: the node makes one and the HSM seals it']
            : ['  identity', identityLabel, stateOf(identity)],
        ]),
        'In the configuration of that one node:',
        'hsm:',
        `  keyLabel: ${keyLabel}`,
        ...(identity === undefined ? [] : [`  identityLabel: ${identityLabel}`]),
      ],
    )
  })

type Found = { readonly key: KeyInfo; readonly isNew: boolean }

const stateOf = ({ isNew }: Found): string => (isNew ? 'made now' : 'was there')
const keyJson = ({ key: { id, label, publicKey }, isNew }: Found): object => ({
  id,
  label,
  isNew,
  publicKey: publicKey === undefined ? null : toHex(publicKey),
})

/** @throws hsm/bad-argument where the label belongs to a key of another kind, or to one that can leave */
async function findOrMake(
  provider: HsmProvider,
  label: string,
  algorithm: KeyAlgorithm,
): Promise<Found> {
  try {
    const key = await provider.find({ label })
    if (key.algorithm !== algorithm)
      throw new Fault('hsm/bad-argument', { detail: `${label} is a key for ${key.algorithm}` })
    if (key.isExtractable || !key.isSensitive)
      throw new Fault('hsm/bad-argument', { detail: `${label} can leave the device` })
    return { key, isNew: false }
  } catch (error) {
    if (!isFault(error, 'hsm/key-not-found')) throw error
    return { key: await provider.generateKey({ label, algorithm }), isNew: true }
  }
}
