/** Threads of a host with the device of the tests. */
import { serveSession } from '#src/host/session-thread.js'
import { openFake } from './fake-device.ts'

await serveSession({ pkcs11: async () => openFake })
