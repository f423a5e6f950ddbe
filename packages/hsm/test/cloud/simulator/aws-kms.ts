/** SIMULATED AWS KMS: the operations that the provider asks for, in AWS JSON 1.1. */
import { createHash, randomBytes, randomUUID } from 'node:crypto'
import { type Curve, SimulatedKey } from './keys.ts'
import { type Answer, type Asked, type Body, type Service, ServiceError, textIn } from './server.ts'

export const REGION = 'eu-central-1'

type Stored = {
  readonly id: string
  readonly arn: string
  readonly spec: string
  readonly usage: string
  readonly description: string
  readonly key: SimulatedKey
  readonly createdAt: number
  origin: string
  state: 'Enabled' | 'Disabled' | 'PendingDeletion'
}

const CURVES: { readonly [spec: string]: Curve } = {
  ECC_NIST_P256: 'p256',
  ECC_SECG_P256K1: 'secp256k1',
  ECC_NIST_EDWARDS25519: 'ed25519',
}
const SECRET_SPECS = ['SYMMETRIC_DEFAULT', 'HMAC_256']
const HEADER = Buffer.from('0102020078', 'hex')

const base64 = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64')
const bytesIn = (body: Body, name: string): Buffer => Buffer.from(textIn(body, name), 'base64')

export class SimulatedAwsKms implements Service {
  readonly keys = new Map<string, Stored>()
  readonly aliases = new Map<string, string>()

  operationOf({ headers }: Asked): string {
    return String(headers['x-amz-target']).replace('TrentService.', '')
  }

  errorAnswer({ status, code }: ServiceError): Answer {
    return { status, body: { __type: code, message: 'simulated: secret-of-the-service' } }
  }

  answer(operation: string, { headers, body }: Asked): Answer {
    if (headers.authorization?.startsWith('AWS4-HMAC-SHA256 Credential=') !== true)
      throw new ServiceError(400, 'MissingAuthenticationToken')
    const operations: { readonly [name: string]: () => Body } = {
      CreateKey: () => this.#create(body),
      CreateAlias: () => this.#alias(body, false),
      UpdateAlias: () => this.#alias(body, true),
      DeleteAlias: () => {
        if (!this.aliases.delete(textIn(body, 'AliasName')))
          throw new ServiceError(400, 'NotFoundException')
        return {}
      },
      DescribeKey: () => ({ KeyMetadata: metadataOf(this.#get(body)) }),
      ListKeys: () => ({
        Keys: [...this.keys.values()].map(({ id, arn }) => ({ KeyId: id, KeyArn: arn })),
        Truncated: false,
      }),
      ListAliases: () => this.#list(body),
      GetPublicKey: () => ({
        KeyId: this.#get(body).arn,
        PublicKey: base64(this.#get(body).key.spki),
      }),
      Sign: () => this.#sign(body),
      Encrypt: () => this.#encrypt(body),
      Decrypt: () => this.#decrypt(body),
      GenerateMac: () => {
        const stored = this.#usable(body, 'GENERATE_VERIFY_MAC')
        return {
          KeyId: stored.arn,
          Mac: base64(stored.key.hmac(limited(bytesIn(body, 'Message')))),
        }
      },
      GenerateRandom: () => ({ Plaintext: base64(randomBytes(Number(body['NumberOfBytes']))) }),
      ScheduleKeyDeletion: () => {
        const stored = this.#get(body)
        if (stored.state === 'PendingDeletion')
          throw new ServiceError(400, 'KMSInvalidStateException')
        stored.state = 'PendingDeletion'
        const days = Number(body['PendingWindowInDays'])
        return { KeyId: stored.arn, DeletionDate: 1_800_000_000 + days * 86_400 }
      },
    }
    const run = operations[operation]
    if (run === undefined) throw new ServiceError(400, 'UnknownOperationException')
    return { body: run() }
  }

  #create(body: Body): Body {
    const spec = textIn(body, 'KeySpec')
    const curve = CURVES[spec]
    if (curve === undefined && !SECRET_SPECS.includes(spec))
      throw new ServiceError(400, 'UnsupportedOperationException')
    const id = randomUUID()
    const stored: Stored = {
      id,
      arn: `arn:aws:kms:${REGION}:111122223333:key/${id}`,
      spec,
      usage: textIn(body, 'KeyUsage'),
      description: textIn(body, 'Description'),
      key: new SimulatedKey(curve ?? 'secret'),
      createdAt: 1_700_000_000 + this.keys.size,
      origin: 'AWS_KMS',
      state: 'Enabled',
    }
    this.keys.set(id, stored)
    return { KeyMetadata: metadataOf(stored) }
  }

  #alias(body: Body, isUpdate: boolean): Body {
    const name = textIn(body, 'AliasName')
    if (this.aliases.has(name) !== isUpdate)
      throw new ServiceError(400, isUpdate ? 'NotFoundException' : 'AlreadyExistsException')
    this.aliases.set(name, textIn(body, 'TargetKeyId'))
    return {}
  }

  /** Two to a page, so that paging is seen. */
  #list(body: Body): Body {
    const from = Number(body['Marker'] ?? 0)
    const all = [...this.aliases].map(([AliasName, TargetKeyId]) => ({ AliasName, TargetKeyId }))
    const more = all.length > from + 2
    return {
      Aliases: all.slice(from, from + 2),
      Truncated: more,
      ...(more && { NextMarker: String(from + 2) }),
    }
  }

  #get(body: Body): Stored {
    const named = textIn(body, 'KeyId')
    const id = named.startsWith('alias/') ? this.aliases.get(named) : named.replace(/^.*:key\//, '')
    const stored = this.keys.get(id ?? '')
    if (stored === undefined) throw new ServiceError(400, 'NotFoundException')
    return stored
  }

  #usable(body: Body, usage: string): Stored {
    const stored = this.#get(body)
    if (stored.state === 'Disabled') throw new ServiceError(400, 'DisabledException')
    if (stored.state === 'PendingDeletion') throw new ServiceError(400, 'KMSInvalidStateException')
    if (stored.usage !== usage) throw new ServiceError(400, 'InvalidKeyUsageException')
    return stored
  }

  #sign(body: Body): Body {
    const { key, arn } = this.#usable(body, 'SIGN_VERIFY')
    const message = limited(bytesIn(body, 'Message'))
    const algorithm = textIn(body, 'SigningAlgorithm')
    const isEdwards = key.kind === 'ed25519'
    const fits = isEdwards
      ? algorithm === 'ED25519_SHA_512' && body['MessageType'] === 'RAW'
      : algorithm === 'ECDSA_SHA_256' && body['MessageType'] === 'DIGEST' && message.length === 32
    if (!fits) throw new ServiceError(400, 'ValidationException')
    const signature = isEdwards ? key.signMessage(message) : key.signDigest(message, 'der')
    return { KeyId: arn, Signature: base64(signature), SigningAlgorithm: algorithm }
  }

  #encrypt(body: Body): Body {
    const { key, arn } = this.#usable(body, 'ENCRYPT_DECRYPT')
    const plaintext = bytesIn(body, 'Plaintext')
    if (plaintext.length === 0) throw new ServiceError(400, 'ValidationException')
    const { iv, ciphertext, tag } = key.seal(limited(plaintext), contextOf(arn, body))
    const blob = Buffer.concat([HEADER, hashOf(arn), iv, ciphertext, tag])
    return { KeyId: arn, CiphertextBlob: base64(blob), EncryptionAlgorithm: 'SYMMETRIC_DEFAULT' }
  }

  #decrypt(body: Body): Body {
    const { key, arn } = this.#usable(body, 'ENCRYPT_DECRYPT')
    const blob = bytesIn(body, 'CiphertextBlob')
    const at = HEADER.length + 32
    if (!blob.subarray(0, HEADER.length).equals(HEADER) || blob.length < at + 28)
      throw new ServiceError(400, 'InvalidCiphertextException')
    if (!blob.subarray(HEADER.length, at).equals(hashOf(arn)))
      throw new ServiceError(400, 'IncorrectKeyException')
    const plaintext = key.open(
      blob.subarray(at, at + 12),
      blob.subarray(at + 12, -16),
      blob.subarray(-16),
      contextOf(arn, body),
    )
    if (plaintext === undefined) throw new ServiceError(400, 'InvalidCiphertextException')
    return { KeyId: arn, Plaintext: base64(plaintext), EncryptionAlgorithm: 'SYMMETRIC_DEFAULT' }
  }
}

function limited(bytes: Buffer): Buffer {
  if (bytes.length > 4096) throw new ServiceError(400, 'ValidationException')
  return bytes
}

const hashOf = (text: string): Buffer => createHash('sha256').update(text).digest()

const contextOf = (arn: string, body: Body): Buffer =>
  hashOf(`${arn}\n${JSON.stringify(body['EncryptionContext'] ?? {})}`)

const metadataOf = ({
  id,
  arn,
  spec,
  usage,
  description,
  state,
  origin,
  createdAt,
}: Stored): Body => ({
  KeyId: id,
  Arn: arn,
  KeySpec: spec,
  KeyUsage: usage,
  Description: description,
  KeyState: state,
  Origin: origin,
  Enabled: state === 'Enabled',
  CreationDate: createdAt,
  ...(state === 'PendingDeletion' && { DeletionDate: 1_802_592_000 }),
})
