import { systemTimers } from '@quorate/platform'

/** What `event` resolves with, or nothing where it takes longer than `ms`. @throws what `event` does */
export async function within<T>(ms: number, event: Promise<T>): Promise<T | undefined> {
  let cancel = (): void => {}
  const late = new Promise<undefined>((resolve) => {
    cancel = systemTimers.after(ms, () => resolve(undefined))
  })
  return Promise.race([event, late]).finally(() => cancel())
}
