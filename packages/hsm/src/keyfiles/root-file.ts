/** The one file that every key of a directory depends on. */
import { wipe } from '@quorate/base'
import { DeviceFault } from '../errors.ts'
import type { PrivateDirectory } from './directory.ts'
import { isKeyFile } from './provider.ts'

/**
 * Makes the file `name` where the directory is empty; of several processes that make it at once, one
 * does. What `make` gives is wiped.
 * @throws hsm/object-damaged where keys are there without it
 */
export async function ensureRootFile(
  directory: PrivateDirectory,
  name: string,
  make: () => Uint8Array | Promise<Uint8Array>,
): Promise<void> {
  if ((await directory.read(name)) !== undefined) return
  // Another process may be making it at this moment, so look again after seeing keys.
  if ((await directory.names()).some(isKeyFile) && (await directory.read(name)) === undefined)
    throw missing(name)
  const content = await make()
  await directory.create(name, content)
  wipe(content)
}

/** Its content, from a file that no other user can reach. @throws hsm/object-damaged, hsm/loose-permissions */
export async function readRootFile(directory: PrivateDirectory, name: string): Promise<Uint8Array> {
  const content = await directory.read(name)
  if (content === undefined) throw missing(name)
  await directory.checkPrivate(name)
  return content
}

const missing = (name: string): DeviceFault =>
  new DeviceFault('hsm/object-damaged', { detail: `${name} is missing` })
