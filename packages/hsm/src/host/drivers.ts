/** How a session is opened, by the name of the driver in `DeviceSettings`. Loaded in the threads of a provider host only. */
import type { DeviceSettings, OpenDevice } from '../device.ts'

export type Drivers = { readonly [D in DeviceSettings['driver']]?: () => Promise<OpenDevice> }

export const DRIVERS: Drivers = {
  pkcs11: async () => (await import('../pkcs11/session.ts')).openDevice,
  zymbit: async () => (await import('../zymbit/session.ts')).openDevice,
}
