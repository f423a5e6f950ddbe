/**
 * Places where a test can make the process die, stop or fail. A place is named by a text literal in
 * a call of `failpoint`; `tools/failpoints.mjs` lists them all, so chaos tests can visit each.
 * A place that is not armed costs one look into an empty map.
 */
import { writeSync } from 'node:fs'
import { Fault } from '@quorate/base'
import { FAILPOINTS } from './failpoints.generated.ts'

const ACTIONS = {
  /** Ends the process as a loss of power would. */
  crash: (): void => {
    process.kill(process.pid, 'SIGKILL')
  },
  /** Halts the process until somebody sends it SIGCONT. */
  pause: (): void => {
    process.kill(process.pid, 'SIGSTOP')
  },
  error: (name: string): void => {
    throw new Fault('platform/failpoint', { detail: name })
  },
} as const
export type FailpointAction = keyof typeof ACTIONS

const armed = new Map<string, FailpointAction>()

/** Does what the place is armed for; normally nothing. @throws platform/failpoint */
export function failpoint(name: string): void {
  const action = armed.get(name)
  if (action === undefined) return
  // Straight to the descriptor: a stream would not be flushed any more.
  try {
    writeSync(2, `failpoint ${name}: ${action}\n`)
  } catch {
    // Nobody reads: what the place is armed for happens all the same.
  }
  ACTIONS[action](name)
}

export type FailpointOptions = {
  /** Whether the process was started for the environment `development`. */
  readonly isDevelopment: boolean
  /** The places there are; the generated list unless told. */
  readonly known?: readonly string[]
}

/**
 * Arms what `QUORATE_FAILPOINTS` names ("name=action,…"), and nothing else any more.
 * @throws platform/failpoints-forbidden outside development, platform/unknown-failpoint
 */
export function armFailpoints(
  env: { readonly [name: string]: string | undefined },
  { isDevelopment, known = FAILPOINTS }: FailpointOptions,
): readonly string[] {
  armed.clear()
  const wanted = (env['QUORATE_FAILPOINTS'] ?? '').split(',').filter((part) => part !== '')
  if (wanted.length > 0 && !isDevelopment) throw new Fault('platform/failpoints-forbidden')
  const parsed = wanted.map((part): readonly [string, FailpointAction] => {
    const [name = '', action = '', ...rest] = part.split('=')
    if (rest.length > 0 || !known.includes(name) || !Object.hasOwn(ACTIONS, action))
      throw new Fault('platform/unknown-failpoint', { detail: part })
    return [name, action as FailpointAction]
  })
  for (const [name, action] of parsed) armed.set(name, action)
  return [...armed.keys()]
}
