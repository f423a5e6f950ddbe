/** SIMULATED Azure Managed HSM: the part of its REST API that the provider asks for, challenge included. */
import { randomBytes } from 'node:crypto'
import { SimulatedKey } from './keys.ts'
import { type Answer, type Asked, type Body, type Service, ServiceError, textIn } from './server.ts'

type Stored = {
  readonly name: string
  readonly version: string
  readonly curve: string | undefined
  readonly key: SimulatedKey
  readonly tags: Body
  readonly operations: readonly string[]
  readonly created: number
  kty: string
  enabled: boolean
}

const ALGORITHMS: { readonly [curve: string]: string } = { 'P-256': 'ES256', 'P-256K': 'ES256K' }

const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64url')
const bytesIn = (body: Body, name: string): Buffer => Buffer.from(textIn(body, name), 'base64url')

export class SimulatedAzureHsm implements Service {
  /** Set once the server listens. */
  url = ''
  readonly keys = new Map<string, Stored[]>()
  readonly deleted = new Map<string, Stored[]>()
  /** Whether purging is forbidden. */
  hasPurgeProtection = false

  operationOf({ method, path, headers }: Asked): string {
    if (headers.authorization === undefined) return 'challenge'
    const [, place = '', , third = '', fourth = ''] = path.split('/')
    if (place === 'rng') return 'rng'
    if (place === 'deletedkeys') return method === 'DELETE' ? 'purge' : 'getDeleted'
    if (method === 'DELETE') return 'delete'
    if (method === 'PATCH') return 'update'
    if (third === 'versions') return 'versions'
    if (third === 'create') return 'create'
    if (fourth !== '') return fourth
    return path === '/keys' || path === '/keys/' ? 'list' : 'get'
  }

  errorAnswer({ status, code }: ServiceError): Answer {
    return { status, body: { error: { code, message: 'simulated: secret-of-the-service' } } }
  }

  answer(operation: string, asked: Asked): Answer {
    const { path, body } = asked
    const [, , name = '', version = ''] = path.split('/')
    switch (operation) {
      case 'challenge':
        return {
          status: 401,
          headers: {
            'www-authenticate': `Bearer authorization="https://login.microsoftonline.com/00000000-0000-0000-0000-000000000000", resource="https://managedhsm.azure.net"`,
          },
        }
      case 'rng':
        return { body: { value: text(randomBytes(Number(body['count']))) } }
      case 'create':
        return { body: this.#create(name, body) }
      case 'list':
        return { body: this.#list(asked) }
      case 'get':
        return { body: this.#bundle(this.#get(name, version)) }
      case 'versions':
        return { body: this.#versions(name) }
      case 'update': {
        const stored = this.#get(name, version)
        stored.enabled = (body['attributes'] as { enabled: boolean }).enabled
        return { body: this.#bundle(stored) }
      }
      case 'delete':
        return { body: this.#delete(name) }
      case 'getDeleted':
        return { body: this.#getDeleted(name) }
      case 'purge':
        if (this.hasPurgeProtection) throw new ServiceError(403, 'Forbidden')
        this.deleted.delete(name)
        return { status: 204 }
      default:
        return { body: this.#use(operation, this.#get(name, version), body) }
    }
  }

  #create(name: string, body: Body): Body {
    if (this.deleted.has(name)) throw new ServiceError(409, 'ObjectIsDeletedButRecoverable')
    const kty = textIn(body, 'kty')
    const curve = body['crv'] as string | undefined
    const stored: Stored = {
      name,
      version: randomBytes(16).toString('hex'),
      curve,
      key: new SimulatedKey(
        curve === undefined ? 'secret' : curve === 'P-256' ? 'p256' : 'secp256k1',
      ),
      tags: (body['tags'] ?? {}) as Body,
      operations: (body['key_ops'] ?? []) as string[],
      created: 1_700_000_000,
      kty,
      enabled: true,
    }
    // Where the name is taken, it makes another version, as the service does.
    this.keys.set(name, [...(this.keys.get(name) ?? []), stored])
    return this.#bundle(stored)
  }

  /** Two to a page. */
  #list({ query }: Asked): Body {
    const from = Number(query.get('$skiptoken') ?? 0)
    const all = [...this.keys.values()].map((versions) => {
      const { name, tags } = versions.at(-1) as Stored
      return { kid: `${this.url}/keys/${name}`, attributes: { enabled: true }, tags }
    })
    const next = `${this.url}/keys?api-version=2025-07-01&$skiptoken=${from + 2}`
    return { value: all.slice(from, from + 2), ...(all.length > from + 2 && { nextLink: next }) }
  }

  #versions(name: string): Body {
    const versions = this.keys.get(name)
    if (versions === undefined) throw new ServiceError(404, 'KeyNotFound')
    const value = versions.map(({ version, created, enabled }) => ({
      kid: `${this.url}/keys/${name}/${version}`,
      attributes: { enabled, created },
    }))
    return { value }
  }

  #get(name: string, version: string): Stored {
    const versions = this.keys.get(name) ?? []
    const found =
      version === '' ? versions.at(-1) : versions.find((each) => each.version === version)
    if (found === undefined) throw new ServiceError(404, 'KeyNotFound')
    return found
  }

  #delete(name: string): Body {
    const versions = this.keys.get(name)
    if (versions === undefined) throw new ServiceError(404, 'KeyNotFound')
    this.keys.delete(name)
    this.deleted.set(name, versions)
    return this.#getDeleted(name)
  }

  #getDeleted(name: string): Body {
    const stored = this.deleted.get(name)?.at(-1)
    if (stored === undefined) throw new ServiceError(404, 'KeyNotFound')
    return {
      ...this.#bundle(stored),
      recoveryId: `${this.url}/deletedkeys/${name}`,
      deletedDate: 1_800_000_000,
      scheduledPurgeDate: 1_807_776_000,
    }
  }

  #use(
    operation: string,
    { key, curve, enabled, operations, name, version }: Stored,
    body: Body,
  ): Body {
    if (!enabled) throw new ServiceError(403, 'KeyDisabled')
    if (!operations.includes(operation)) throw new ServiceError(403, 'KeyOperationForbidden')
    const kid = `${this.url}/keys/${name}/${version}`
    const alg = textIn(body, 'alg')
    const value = bytesIn(body, 'value')
    if (operation === 'sign') {
      if (ALGORITHMS[curve ?? ''] !== alg || value.length !== 32)
        throw new ServiceError(400, 'BadParameter')
      return { kid, value: text(key.signDigest(value, 'compact')) }
    }
    const aad = bytesIn(body, 'aad')
    if (alg !== 'A256GCM' || (operation === 'encrypt' && value.length === 0))
      throw new ServiceError(400, 'BadParameter')
    if (operation === 'encrypt') {
      const { iv, ciphertext, tag } = key.seal(value, aad)
      return { kid, value: text(ciphertext), iv: text(iv), tag: text(tag), aad: text(aad) }
    }
    const plaintext = key.open(bytesIn(body, 'iv'), value, bytesIn(body, 'tag'), aad)
    if (plaintext === undefined) throw new ServiceError(400, 'BadParameter')
    return { kid, value: text(plaintext) }
  }

  #bundle({ name, version, kty, curve, key, operations, tags, enabled, created }: Stored): Body {
    return {
      key: {
        kid: `${this.url}/keys/${name}/${version}`,
        kty,
        key_ops: operations,
        ...(curve !== undefined && { crv: curve, ...key.jwk }),
      },
      attributes: {
        enabled,
        exportable: false,
        created,
        updated: created,
        recoverableDays: 90,
      },
      tags,
    }
  }
}

/** SIMULATED managed identity of a machine at Azure: gives a token to whoever has the header. */
export class SimulatedIdentity implements Service {
  readonly header: string = randomBytes(16).toString('hex')

  operationOf(): string {
    return 'token'
  }

  errorAnswer({ status, code }: ServiceError): Answer {
    return { status, body: { error: code } }
  }

  answer(_operation: string, { headers, query }: Asked): Answer {
    if (headers['x-identity-header'] !== this.header) throw new ServiceError(401, 'unauthorized')
    return {
      body: {
        access_token: 'simulated-token',
        expires_on: String(Math.floor(Date.now() / 1000) + 7200),
        resource: query.get('resource'),
        token_type: 'Bearer',
      },
    }
  }
}
