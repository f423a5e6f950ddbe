/** A host with the device of the tests. */
import { runHost } from '#src/host/process-main.js'

runHost(new URL('./fake-thread.js', import.meta.url))
