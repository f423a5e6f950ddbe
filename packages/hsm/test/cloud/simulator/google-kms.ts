/** SIMULATED Google Cloud KMS: the part of its REST API that the provider asks for, checksums included. */
import { randomBytes } from 'node:crypto'
import { crc32c } from '#src/cloud/google/crc32c.js'
import { type Curve, SimulatedKey } from './keys.ts'
import { type Answer, type Asked, type Body, type Service, ServiceError, textIn } from './server.ts'

const CURVES: { readonly [algorithm: number]: Curve } = {
  12: 'p256',
  31: 'secp256k1',
  40: 'ed25519',
}
const SECRETS: readonly number[] = [19, 32]
const PURPOSES: { readonly [purpose: number]: string } = { 5: 'sign', 7: 'encrypt', 9: 'mac' }

type Stored = {
  readonly name: string
  readonly purpose: number
  readonly algorithm: number
  readonly labels: Body
  readonly duration: string
  readonly key: SimulatedKey
  protectionLevel: string
  state: string
  /** How often it still says that it is being made. */
  making: number
}

const base64 = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64')
const bytesIn = (body: Body, name: string): Buffer =>
  Buffer.from(typeof body[name] === 'string' ? body[name] : '', 'base64')

export class SimulatedGoogleKms implements Service {
  readonly keys = new Map<string, Stored>()
  /** For keys made from now on. */
  protectionLevel = 'HSM'
  making = 0
  /** PEM; of the module, the card and the partition. */
  certificates: readonly string[] = []

  operationOf({ method, path }: Asked): string {
    const [place = '', verb] = path.split(':')
    if (verb !== undefined) return verb
    if (place.endsWith('/publicKey')) return 'getPublicKey'
    if (/\/cryptoKeyVersions\/\d+$/.test(place)) return 'getVersion'
    if (place.endsWith('/cryptoKeys')) return method === 'POST' ? 'create' : 'list'
    return 'get'
  }

  errorAnswer({ status, code }: ServiceError): Answer {
    const error = { code: status, status: code, message: 'simulated: secret-of-the-service' }
    return { status, body: { error } }
  }

  answer(operation: string, asked: Asked): Answer {
    const { path, body, query, headers } = asked
    if (headers.authorization?.startsWith('Bearer ') !== true)
      throw new ServiceError(401, 'UNAUTHENTICATED')
    const name = path.replace(/^\/v1\//, '').replace(/(\/publicKey)?(:[A-Za-z]+)?$/, '')
    if (operation === 'generateRandomBytes') return { body: random(body) }
    if (operation === 'create')
      return { body: this.#create(name, String(query.get('cryptoKeyId')), body) }
    if (operation === 'list') return { body: this.#list(name, query) }
    const [keyName = '', version] = name.split('/cryptoKeyVersions/')
    const stored = this.keys.get(keyName)
    if (stored === undefined || (version !== undefined && version !== '1'))
      throw new ServiceError(404, 'NOT_FOUND')
    switch (operation) {
      case 'get':
        return { body: keyOf(stored) }
      case 'getVersion':
        return { body: this.#versionOf(stored) }
      case 'getPublicKey':
        return { body: publicKeyOf(stored) }
      case 'destroy':
        if (stored.state.startsWith('DESTROY')) throw new ServiceError(400, 'FAILED_PRECONDITION')
        stored.state = 'DESTROY_SCHEDULED'
        return { body: this.#versionOf(stored) }
      default:
        return { body: use(operation, stored, body) }
    }
  }

  #create(parent: string, id: string, body: Body): Body {
    const name = `${parent.replace(/\/cryptoKeys$/, '')}/cryptoKeys/${id}`
    if (!/^[A-Za-z0-9_-]{1,63}$/.test(id)) throw new ServiceError(400, 'INVALID_ARGUMENT')
    if (this.keys.has(name)) throw new ServiceError(409, 'ALREADY_EXISTS')
    const { algorithm } = (body['versionTemplate'] ?? {}) as { algorithm: number }
    const curve = CURVES[algorithm]
    const labels = (body['labels'] ?? {}) as Body
    const areLabels = Object.values(labels).every((each) => /^[a-z0-9_-]{0,63}$/.test(String(each)))
    if (!areLabels || (curve === undefined && !SECRETS.includes(algorithm)))
      throw new ServiceError(400, 'INVALID_ARGUMENT')
    const stored: Stored = {
      name,
      purpose: Number(body['purpose']),
      algorithm,
      labels,
      duration: textIn(body, 'destroyScheduledDuration'),
      key: new SimulatedKey(curve ?? 'secret'),
      protectionLevel: this.protectionLevel,
      state: 'ENABLED',
      making: this.making,
    }
    this.keys.set(name, stored)
    return keyOf(stored)
  }

  #versionOf(stored: Stored): Body {
    const { name, algorithm, protectionLevel } = stored
    const isMade = stored.making-- <= 0
    const state = isMade ? stored.state : 'PENDING_GENERATION'
    return {
      name: `${name}/cryptoKeyVersions/1`,
      state,
      algorithm,
      protectionLevel,
      createTime: '2026-01-01T00:00:00.250Z',
      ...(stored.state === 'DESTROY_SCHEDULED' && { destroyTime: '2026-02-01T00:00:00Z' }),
      attestation: {
        format: 'CAVIUM_V2_COMPRESSED',
        content: base64(Buffer.from('simulated statement')),
        certChains: {
          caviumCerts: this.certificates.slice(0, 1),
          googleCardCerts: this.certificates.slice(1, 2),
          googlePartitionCerts: this.certificates.slice(2),
        },
      },
    }
  }

  /** Two to a page. */
  #list(parent: string, query: URLSearchParams): Body {
    const from = Number(query.get('pageToken') ?? 0)
    const all = [...this.keys.values()].filter(({ name }) => name.startsWith(parent))
    return {
      cryptoKeys: all.slice(from, from + 2).map(keyOf),
      nextPageToken: all.length > from + 2 ? String(from + 2) : '',
    }
  }
}

function use(operation: string, stored: Stored, body: Body): Body {
  const { key, name, purpose, protectionLevel } = stored
  const wanted = {
    asymmetricSign: 'sign',
    rawEncrypt: 'encrypt',
    rawDecrypt: 'encrypt',
    macSign: 'mac',
  }[operation]
  if (stored.state !== 'ENABLED') throw new ServiceError(400, 'FAILED_PRECONDITION')
  if (wanted === undefined || PURPOSES[purpose] !== wanted)
    throw new ServiceError(400, 'FAILED_PRECONDITION')
  const common = { name: `${name}/cryptoKeyVersions/1`, protectionLevel }
  const fits = (field: string, bytes: Buffer): boolean =>
    String(body[field]) === String(crc32c(bytes))
  const data = bytesIn(body, 'data')
  const aad = bytesIn(body, 'additionalAuthenticatedData')
  const withChecksum = (field: string, bytes: Uint8Array): Body => ({
    [field]: base64(bytes),
    [`${field}Crc32c`]: String(crc32c(bytes)),
  })
  switch (operation) {
    case 'asymmetricSign': {
      if (key.kind === 'ed25519')
        return {
          ...common,
          ...withChecksum('signature', key.signMessage(data)),
          verifiedDataCrc32c: fits('dataCrc32c', data),
        }
      const digest = bytesIn((body['digest'] ?? {}) as Body, 'sha256')
      if (digest.length !== 32) throw new ServiceError(400, 'INVALID_ARGUMENT')
      return {
        ...common,
        ...withChecksum('signature', key.signDigest(digest, 'der')),
        verifiedDigestCrc32c: fits('digestCrc32c', digest),
      }
    }
    case 'macSign':
      return {
        ...common,
        ...withChecksum('mac', key.hmac(data)),
        verifiedDataCrc32c: fits('dataCrc32c', data),
      }
    case 'rawEncrypt': {
      const plaintext = bytesIn(body, 'plaintext')
      if (plaintext.length === 0 || plaintext.length + aad.length > 8192)
        throw new ServiceError(400, 'INVALID_ARGUMENT')
      const { iv, ciphertext, tag } = key.seal(plaintext, aad)
      return {
        ...common,
        ...withChecksum('ciphertext', Buffer.concat([ciphertext, tag])),
        ...withChecksum('initializationVector', iv),
        tagLength: 16,
        verifiedPlaintextCrc32c: fits('plaintextCrc32c', plaintext),
        verifiedAdditionalAuthenticatedDataCrc32c: fits('additionalAuthenticatedDataCrc32c', aad),
      }
    }
    default: {
      const iv = bytesIn(body, 'initializationVector')
      const ciphertext = bytesIn(body, 'ciphertext')
      const plaintext = key.open(iv, ciphertext.subarray(0, -16), ciphertext.subarray(-16), aad)
      if (plaintext === undefined) throw new ServiceError(400, 'INVALID_ARGUMENT')
      return {
        ...withChecksum('plaintext', plaintext),
        protectionLevel,
        verifiedCiphertextCrc32c: fits('ciphertextCrc32c', ciphertext),
        verifiedAdditionalAuthenticatedDataCrc32c: fits('additionalAuthenticatedDataCrc32c', aad),
        verifiedInitializationVectorCrc32c: fits('initializationVectorCrc32c', iv),
      }
    }
  }
}

function random(body: Body): Body {
  const length = Number(body['lengthBytes'])
  if (!(length >= 8 && length <= 1024)) throw new ServiceError(400, 'INVALID_ARGUMENT')
  const data = randomBytes(length)
  return { data: base64(data), dataCrc32c: String(crc32c(data)) }
}

const keyOf = ({ name, purpose, algorithm, labels, protectionLevel, duration }: Stored): Body => ({
  name,
  purpose,
  labels,
  createTime: '2026-01-01T00:00:00.250Z',
  versionTemplate: { algorithm, protectionLevel },
  destroyScheduledDuration: duration,
})

function publicKeyOf({ name, key, algorithm, protectionLevel, state }: Stored): Body {
  if (state !== 'ENABLED') throw new ServiceError(400, 'FAILED_PRECONDITION')
  const { pem } = key
  return {
    name: `${name}/cryptoKeyVersions/1`,
    pem,
    pemCrc32c: String(crc32c(Buffer.from(pem))),
    algorithm,
    protectionLevel,
  }
}
