/** Operations as they move on, for the streams of the API. What has ended is said once, and last. */
import { EVENT_NAME, type OperationJson } from '@quorate/api'
import type { ServerEvent } from '@quorate/platform'
import type { Operations } from '../operations.ts'

type Source = Pick<Operations, 'get' | 'watch'>

/** Names that were called out since they were last asked for, each once: a slow reader misses steps, never the last one. */
class Bell {
  readonly #rung = new Set<string>()
  #wake = (): void => {}

  readonly ring = (name: string): void => {
    this.#rung.add(name)
    this.#wake()
  }

  /** The names, as soon as there is one, or none once `signal` is aborted. */
  async next(signal: AbortSignal): Promise<readonly string[]> {
    if (this.#rung.size === 0 && !signal.aborted)
      await new Promise<void>((resolve) => {
        this.#wake = resolve
        signal.addEventListener('abort', () => resolve(), { once: true })
      })
    const names = [...this.#rung]
    this.#rung.clear()
    return names
  }
}

const hasEnded = ({ state }: OperationJson): boolean => state === 'done' || state === 'failed'

const eventOf = (operation: OperationJson): ServerEvent => ({
  event: EVENT_NAME,
  id: operation.updatedAt,
  data: operation,
})

/** The states of one operation from now to its end. @throws node/unknown-operation */
export async function* followOperation(
  operations: Source,
  id: string,
  project: string,
  signal: AbortSignal,
): AsyncGenerator<ServerEvent> {
  const bell = new Bell()
  // Before the first look, so that nothing falls between that and the first wait.
  const stop = operations.watch(id, bell.ring)
  try {
    while (!signal.aborted) {
      const operation = await operations.get(id, project)
      yield eventOf(operation)
      if (hasEnded(operation)) return
      await bell.next(signal)
    }
  } finally {
    stop()
  }
}

/** Every operation of the project that begins, moves on or ends from now on. */
export async function* followProject(
  operations: Source,
  project: string,
  signal: AbortSignal,
): AsyncGenerator<ServerEvent> {
  const bell = new Bell()
  const stop = operations.watch(project, bell.ring)
  try {
    while (!signal.aborted)
      for (const id of await bell.next(signal)) yield eventOf(await operations.get(id, project))
  } finally {
    stop()
  }
}
