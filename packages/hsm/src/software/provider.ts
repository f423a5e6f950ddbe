/**
 * Keys in files, for development and for roles that need no hardware. Each is sealed under a root key
 * that a passphrase or a key file opens, so a copied directory is worth nothing without that; but the
 * keys are computed with in this process, and whoever controls the machine can read them.
 */
import { type Clock, isFault, type Secret, toHex } from '@quorate/base'
import { DeviceFault } from '../errors.ts'
import { PrivateDirectory } from '../keyfiles/directory.ts'
import { FILE_ALGORITHMS, FileProvider, type KeySealing } from '../keyfiles/provider.ts'
import { openKeyFile, sealKeyFile } from '../keyfiles/stored-key.ts'
import type { KeyId, ProviderInfo } from '../provider.ts'
import { openRootKey, type RootKey, type Unlock } from './root-key.ts'

const sealingUnder = (key: Secret<Uint8Array>): KeySealing => ({
  seal: (name, stored) => sealKeyFile(key.expose(), name, stored),
  open: (name, content) => openKeyFile(key.expose(), name, content),
})

export class SoftwareHsm extends FileProvider {
  readonly #root: RootKey
  readonly #sealing: KeySealing

  private constructor(directory: PrivateDirectory, clock: Clock, root: RootKey) {
    super(directory, clock)
    this.#root = root
    this.#sealing = sealingUnder(root.key)
  }

  /**
   * The store in the directory at `path`, made where that is missing or empty.
   * @throws platform/directory-mode, and what `openRootKey` throws
   */
  static async open(path: string, unlock: Unlock, clock: Clock): Promise<SoftwareHsm> {
    const directory = await PrivateDirectory.open(path)
    return new SoftwareHsm(directory, clock, await openRootKey(directory, unlock))
  }

  info(): Promise<ProviderInfo> {
    return this.run('info', undefined, () => ({
      type: 'software',
      name: 'software keys in files (no hardware)',
      serial: toHex(this.#root.id),
      algorithms: FILE_ALGORITHMS,
    }))
  }

  close(): Promise<void> {
    this.#root.key[Symbol.dispose]()
    return Promise.resolve()
  }

  protected async run<T>(
    _operation: string,
    _key: KeyId | undefined,
    action: (sealing: KeySealing) => T | Promise<T>,
  ): Promise<T> {
    if (this.#root.key.isWiped) throw new DeviceFault('hsm/closed')
    try {
      return await action(this.#sealing)
    } catch (error) {
      // It was closed while this was under way.
      throw isFault(error, 'base/wiped') ? new DeviceFault('hsm/closed', { cause: error }) : error
    }
  }
}
