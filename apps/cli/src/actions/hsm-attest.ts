/** hsm attest make and verify: what proves where a key lives. */
import { Fault, isFault, toHex } from '@quorate/base'
import {
  ATTESTATION_LEVELS,
  type Attestation,
  type AttestationLevel,
  type AttestedKey,
  attestationSigner,
  certificatesIn,
  countBoot,
  documentAttester,
  type HsmProvider,
  hasCapability,
  type KeyInfo,
  lastBootOf,
  openDocument,
  proofMessage,
  rememberBoot,
  type VerifiedAttestation,
  vendorAttestation,
  verifyKeyAttestation,
} from '@quorate/hsm'
import { systemClock, systemRandom } from '@quorate/platform'
import type { Given, Run } from '../command.ts'
import { readBytes, writeNew } from '../files.ts'
import {
  attestationJson,
  hexValue,
  keyValue,
  readAttestation,
  trustOf,
} from '../hsm-attestation.ts'
import { findKey, withHsm } from '../hsm-open.ts'
import { withState } from '../hsm-state.ts'
import { table } from '../output.ts'

const NONCE_BYTES = 32
const SIGNING = ['ed25519', 'p256', 'secp256k1'] as const

/** @throws cli/bad-value for a key that signs nothing */
function attestedKey({ algorithm, publicKey }: KeyInfo): AttestedKey {
  const found = SIGNING.find((each) => each === algorithm)
  if (found === undefined || publicKey === undefined)
    throw new Fault('cli/bad-value', { detail: '--key takes a key that signs' })
  return { algorithm: found, publicKey }
}

export const make: Run = (given, output) => {
  const name = given.required('key')
  const nonceText = given.text('nonce')
  const nonce =
    nonceText === undefined
      ? systemRandom.bytes(NONCE_BYTES)
      : hexValue('--nonce', nonceText, 16, 64)
  return withHsm(given, output, async ({ provider }) => {
    const info = await findKey(provider, name)
    const key = attestedKey(info)
    const made = attestationJson(await attest(given, provider, info, nonce), nonce, key)
    const out = given.text('out')
    if (out !== undefined) writeNew(out, `${JSON.stringify(made)}\n`)
    output.result(made, () =>
      out === undefined
        ? [JSON.stringify(made)]
        : [
            `The attestation is in ${out}. It is good for one verifier, for a few minutes.`,
            ...table([
              ['  format', made.format],
              ['  key', `${made.key.algorithm}:${made.key.publicKey}`],
              ['  nonce', made.nonce],
            ]),
          ],
    )
  })
}

/** By the vendor's tools, by an attestation key of ours, or by the device itself, as the options say. */
async function attest(
  given: Given,
  provider: HsmProvider,
  { id }: KeyInfo,
  nonce: Uint8Array,
): Promise<Attestation> {
  const [certificates, blob, by] = [
    given.text('certificates'),
    given.text('blob'),
    given.text('attestation-key'),
  ]
  const chain = (path: string): readonly Uint8Array[] =>
    certificatesIn(readBytes(path)).map(({ der }) => der)
  if (by !== undefined) {
    if (blob !== undefined)
      throw new Fault('cli/bad-value', {
        detail: '--blob and --attestation-key exclude each other',
      })
    const { id: signing } = await findKey(provider, by)
    const own = certificates === undefined ? [] : chain(certificates)
    const signer = await attestationSigner(provider, signing, own)
    const { serial } = await provider.info()
    const device = given.text('device-name') ?? serial
    if (device === '') throw new Fault('cli/missing-argument', { detail: '--device-name' })
    const boot = await withState(given, countBoot)
    const options = { provider, signer, device, clock: systemClock, boot }
    return documentAttester(options).attestKey(id, nonce)
  }
  if (certificates !== undefined) {
    const time = systemClock.now()
    const signature = await provider.sign(id, { message: proofMessage(nonce, time) })
    return vendorAttestation(blob === undefined ? 'yubihsm-x509' : 'marvell-hsm', {
      certificates: chain(certificates),
      ...(blob !== undefined && { blob: readBytes(blob) }),
      proof: { time, signature },
    })
  }
  if (!hasCapability(provider, 'attest'))
    throw new Fault('cli/missing-argument', {
      detail: '--attestation-key, or --certificates from the tools of the vendor',
    })
  return provider.attestKey(id, nonce)
}

/** @throws cli/bad-value naming the known ones */
function levelOf(given: Given): AttestationLevel {
  const text = given.text('at-least') ?? 'hardware'
  const found = ATTESTATION_LEVELS.find((each) => each === text)
  if (found !== undefined) return found
  throw new Fault('cli/bad-value', { detail: `--at-least takes ${ATTESTATION_LEVELS.join(', ')}` })
}

export const verify: Run = async (given, output) => {
  const { attestation } = readAttestation(given.argument(0))
  const expected = {
    key: keyValue('--public-key', given.required('public-key')),
    nonce: hexValue('--nonce', given.required('nonce'), 16, 64),
    now: systemClock.now(),
    maxAgeMs: (given.integer('max-age', 1, 31_536_000) ?? 300) * 1000,
    atLeast: levelOf(given),
  }
  const trust = trustOf(given)
  try {
    const shown = given.has('state')
      ? await withState(given, async (state) => {
          // Only our own documents count starts; whose they are is known once they are read.
          const minBoot =
            attestation.format === 'quorate-hsm-key'
              ? lastBootOf(state, openDocument(attestation.document).statement.device)
              : undefined
          const found = verifyKeyAttestation(
            attestation,
            { ...expected, ...(minBoot !== undefined && { minBoot }) },
            trust,
          )
          await rememberBoot(state, found)
          return found
        })
      : verifyKeyAttestation(attestation, expected, trust)
    output.result({ isValid: true, ...shownJson(shown) }, () => shownLines(shown))
  } catch (error) {
    const codes = ['hsm/attestation-invalid', 'hsm/attestation-stale', 'hsm/weak-custody'] as const
    if (!isFault(error) || !codes.some((each) => each === error.code)) throw error
    output.result({ isValid: false, code: error.code, detail: error.detail }, () => [error.message])
    throw new Fault('cli/does-not-verify', { detail: error.message, cause: error })
  }
}

const shownJson = ({ key, time, notAfter, ...shown }: VerifiedAttestation): object => ({
  ...shown,
  key: { algorithm: key.algorithm, publicKey: toHex(key.publicKey) },
  time: new Date(time).toISOString(),
  ...(notAfter !== undefined && { notAfter: new Date(notAfter).toISOString() }),
})

const shownLines = (shown: VerifiedAttestation): readonly string[] => [
  `The attestation verifies. Level: ${shown.level}.`,
  ...table([
    ['  device', shown.device],
    ['  trusted by', shown.trustedBy.join(', ')],
    ['  made', new Date(shown.time).toISOString()],
    ...(shown.boot === undefined ? [] : [['  start', String(shown.boot)]]),
    ...(shown.policy ?? []).map(({ name, value }) => [`  ${name}`, value]),
  ]),
]
