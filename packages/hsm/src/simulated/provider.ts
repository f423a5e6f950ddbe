/**
 * A simulated HSM for development: the full interface in this process, keys sealed on disk.
 * It protects nothing against whoever reads its directory, and says so wherever it is shown.
 *
 * Each operation reads the device key anew, so a compromise that one process marks stops all of them.
 */
import { type Clock, isFault, toHex } from '@quorate/base'
import { DeviceFault } from '../errors.ts'
import { PrivateDirectory } from '../keyfiles/directory.ts'
import { FILE_ALGORITHMS, FileProvider, infoOf } from '../keyfiles/provider.ts'
import type { Attestation, Attester, KeyId, ProviderInfo } from '../provider.ts'
import { attestSimulated } from './attestation.ts'
import { Device } from './device.ts'

const MAX_LOG = 1000

/** One line of the operation log. It names keys, never what was done with them. */
export type LoggedOperation = {
  readonly time: number
  readonly operation: string
  readonly key: KeyId | undefined
  /** `ok` or an error code. */
  readonly outcome: string
}

export class SimulatedHsm extends FileProvider<Device> implements Attester {
  readonly #log: LoggedOperation[] = []
  #isClosed = false

  private constructor(directory: PrivateDirectory, clock: Clock) {
    super(directory, clock)
  }

  /** The device in the directory at `path`, made where that is missing or empty. @throws platform/directory-mode, hsm/loose-permissions, hsm/object-damaged, hsm/unavailable */
  static async open(path: string, clock: Clock): Promise<SimulatedHsm> {
    const directory = await PrivateDirectory.open(path)
    await Device.initialise(directory)
    const device = await Device.read(directory)
    device[Symbol.dispose]()
    return new SimulatedHsm(directory, clock)
  }

  /** The last thousand operations, oldest first. */
  operations(): readonly LoggedOperation[] {
    return [...this.#log]
  }

  /** From now on every operation of this device fails, in every process and after every restart. */
  async simulateCompromise(): Promise<void> {
    const device = await Device.read(this.directory)
    try {
      await device.markCompromised(this.directory)
    } finally {
      device[Symbol.dispose]()
    }
  }

  /** The public key (32 bytes) under which `verifySimulatedAttestation` accepts this device. */
  attestationRoot(): Promise<Uint8Array> {
    return this.run('attestationRoot', undefined, (device) => device.attestationRoot)
  }

  info(): Promise<ProviderInfo> {
    return this.run('info', undefined, (device) => ({
      type: 'simulated',
      name: 'SIMULATED HSM (protects nothing, for development only)',
      serial: toHex(device.id),
      algorithms: FILE_ALGORITHMS,
    }))
  }

  attestKey(id: KeyId, nonce: Uint8Array): Promise<Attestation> {
    return this.run('attestKey', id, (device) =>
      this.with(device, id, (key) =>
        attestSimulated(device, infoOf(id, key), nonce, this.clock.now()),
      ),
    )
  }

  close(): Promise<void> {
    this.#isClosed = true
    return Promise.resolve()
  }

  /** Reads the device, refuses where it must not answer, and writes down how the operation ended. */
  protected async run<T>(
    operation: string,
    key: KeyId | undefined,
    action: (device: Device) => T | Promise<T>,
  ): Promise<T> {
    const write = (outcome: string): void => {
      if (this.#log.length >= MAX_LOG) this.#log.shift()
      this.#log.push({ time: this.clock.now(), operation, key, outcome })
    }
    try {
      if (this.#isClosed) throw new DeviceFault('hsm/closed')
      const device = await Device.read(this.directory)
      try {
        if (device.isCompromised) throw new DeviceFault('hsm/compromised')
        const result = await action(device)
        write('ok')
        return result
      } finally {
        device[Symbol.dispose]()
      }
    } catch (error) {
      write(isFault(error) ? error.code : 'base/bug')
      throw error
    }
  }
}
