/** Entry of the threads of a provider host. */
import { DRIVERS } from './drivers.ts'
import { serveSession } from './session-thread.ts'

await serveSession(DRIVERS)
