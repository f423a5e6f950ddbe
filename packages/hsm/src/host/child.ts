/** Entry of the provider host's process. */
import { runHost } from './process-main.ts'

runHost(new URL('./thread.js', import.meta.url))
