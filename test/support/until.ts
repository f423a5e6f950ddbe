import { setTimeout as sleep } from 'node:timers/promises'

/** Looks again and again, for at most two minutes: test machines can be very slow. Faults count as "not yet". */
export async function until(is: () => Promise<boolean>, limitMs = 120_000): Promise<void> {
  const end = Date.now() + limitMs
  for (;;) {
    if (await is().catch(() => false)) return
    if (Date.now() > end) throw new Error('it did not come to that in time')
    await sleep(50)
  }
}
