import { MemoryRequests, systemTimers } from '@quorate/platform'
import { silent } from '../nats/server.js'
import { LIMITS, queueConformance } from './conformance.js'

queueConformance('memory requests', async (t) => {
  // The queue's own timers let the process end.
  const awake = setInterval(() => undefined, 1_000)
  t.after(() => clearInterval(awake))
  const requests = new MemoryRequests({ timers: systemTimers, logger: silent, limits: LIMITS })
  return { open: async () => requests.open() }
})
