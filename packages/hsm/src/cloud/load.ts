/** The official clients are loaded when one is configured, and need not be installed otherwise. */
import { DeviceFault } from '../errors.ts'

const isMissing = (error: unknown): boolean =>
  error instanceof Error &&
  ['ERR_MODULE_NOT_FOUND', 'MODULE_NOT_FOUND'].includes(
    String((error as { readonly code?: unknown }).code),
  )

/**
 * What `load` imports: the client in the package called `name`.
 * @throws hsm/client-missing with the package to install
 */
export async function loadClient<Module>(
  name: string,
  load: () => Promise<Module>,
): Promise<Module> {
  try {
    return await load()
  } catch (error) {
    if (isMissing(error))
      throw new DeviceFault('hsm/client-missing', { detail: `npm install ${name}` })
    throw error
  }
}
