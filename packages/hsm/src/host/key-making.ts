/**
 * Making keys on a device whose host may end at any time: the id is chosen here, and looked for
 * before it is used again, so that no key that was made is lost and none is made twice.
 */
import { randomBytes } from 'node:crypto'
import { Fault, isFault } from '@quorate/base'
import type { DeviceKeyRequest } from '../device.ts'
import { DeviceFault } from '../errors.ts'
import {
  type KeyAlgorithm,
  type KeyId,
  type KeyInfo,
  type KeyRequest,
  parseKeyId,
} from '../provider.ts'
import type { OperationName, RequestOf, ResponseOf } from './operations.ts'
import { isTrouble } from './trouble.ts'

/** A key for a device; the id is drawn at random unless given. */
export type HostedKeyRequest = Omit<DeviceKeyRequest, 'id'> & KeyRequest

export type KeyMakerPorts = {
  readonly algorithms: readonly KeyAlgorithm[]
  ask<Name extends OperationName>(
    name: Name,
    request: RequestOf<Name>,
    deadline: number,
  ): Promise<ResponseOf<Name>>
  /** When an operation that begins now has to be over. */
  deadlineFor(name: OperationName): number
  destroy(id: KeyId, confirm: { readonly label: string }): Promise<void>
  /** The fault to throw for an answer that is wrong. */
  wrongResult(detail: string): Fault
}

const KEY_ID_BYTES = 16
/** How often a key is tried to be made, with a look at the device after each. */
const MAX_TRIES = 3

export class KeyMaker {
  readonly #ports: KeyMakerPorts

  constructor(ports: KeyMakerPorts) {
    this.#ports = ports
  }

  /**
   * The one key that `operation` makes. `requestFor`: what it takes, once the id is known.
   * @throws hsm/key-exists, hsm/bad-argument, hsm/unsupported, what the device throws
   */
  async make<Name extends 'generateKey' | 'unwrapKey' | 'importKey' | 'deriveKey'>(
    request: HostedKeyRequest,
    operation: Name,
    requestFor: (identified: DeviceKeyRequest) => RequestOf<Name>,
  ): Promise<KeyInfo> {
    this.#check(request)
    const deadline = this.#ports.deadlineFor(operation)
    const identified = { ...request, id: request.id ?? newKeyId() }
    // Otherwise a key of somebody else could be taken for the one that was made here.
    if (request.id !== undefined && (await this.#lookFor(request.id, deadline)) !== undefined)
      throw new Fault('hsm/key-exists')
    for (let tries = 1; ; tries++)
      try {
        const made = await this.#ports.ask(operation, requestFor(identified), deadline)
        if (!isAsRequested(made, identified)) throw this.#ports.wrongResult('another key was made')
        return made
      } catch (error) {
        const isMadeAfterAll = tries > 1 && isFault(error, 'hsm/key-exists')
        if (!isTrouble(error) && !isMadeAfterAll) throw error
        const made = await this.#finished(identified, deadline)
        if (made !== undefined) return made
        if (tries === MAX_TRIES) throw error
      }
  }

  /** The key that an interrupted operation made, if it did. */
  async #finished(request: DeviceKeyRequest, deadline: number): Promise<KeyInfo | undefined> {
    const found = await this.#lookFor(request.id, deadline)
    if (found === undefined) return undefined
    if (!isAsRequested(found, request)) throw new Fault('hsm/key-exists')
    if (found.isSensitive && found.isExtractable === (request.isWrappable ?? false)) return found
    // Nobody has checked it in the device, and nobody knows of it yet.
    await this.#ports.destroy(found.id, found)
    return undefined
  }

  async #lookFor(id: KeyId, deadline: number): Promise<KeyInfo | undefined> {
    try {
      return await this.#ports.ask('find', { id }, deadline)
    } catch (error) {
      if (isFault(error, 'hsm/key-not-found')) return undefined
      throw error
    }
  }

  #check({ label, algorithm }: KeyRequest): void {
    if (label.length === 0 || label.length > 128)
      throw new Fault('hsm/bad-argument', { detail: 'a label has 1 to 128 characters' })
    if (!this.#ports.algorithms.includes(algorithm))
      throw new DeviceFault('hsm/unsupported', { detail: 'keys of this algorithm' })
  }
}

const newKeyId = (): KeyId => parseKeyId(randomBytes(KEY_ID_BYTES).toString('hex'))

const isAsRequested = (info: KeyInfo, { id, label, algorithm }: DeviceKeyRequest): boolean =>
  info.id === id && info.label === label && info.algorithm === algorithm
