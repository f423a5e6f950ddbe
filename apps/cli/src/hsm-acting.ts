/** An act of an operator as a command: carried out here, or by the `hsm watch` that holds the state. */
import { once } from 'node:events'
import { type IncomingMessage, request } from 'node:http'
import { text } from 'node:stream/consumers'
import { fromProblem } from '@quorate/api'
import { Fault, isFault } from '@quorate/base'
import type { Given } from './command.ts'
import { ROTATION_ACTS, type RotationInputs, STATE_ACTS, type StateInputs } from './hsm-acts.ts'
import { actPath, controlSocket } from './hsm-control.ts'
import { withRotations } from './hsm-rotations.ts'
import type { Shown } from './hsm-shown.ts'
import { withState } from './hsm-state.ts'
import { stateDirectory } from './hsm-state-options.ts'
import type { Output } from './output.ts'

/** Carries out the act, and prints its result. @throws what it throws, platform/directory-in-use where no watcher answers */
export const actOnState = <Name extends keyof StateInputs>(
  given: Given,
  output: Output,
  name: Name,
  input: StateInputs[Name],
): Promise<void> =>
  act(given, output, { name, input }, () =>
    withState(given, (state) => STATE_ACTS[name].carryOut({ state }, input)),
  )

/**
 * Carries out the act on the device that is named, or has it done by the watcher on its own, and prints its
 * result. @throws what it throws, platform/directory-in-use where no watcher answers
 */
export const actOnRotations = <Name extends keyof RotationInputs>(
  given: Given,
  output: Output,
  name: Name,
  input: RotationInputs[Name],
): Promise<void> =>
  act(given, output, { name, input }, () =>
    withRotations(given, output, (opened) => {
      output.progress('rotating')
      return ROTATION_ACTS[name].carryOut(opened, input)
    }),
  )

type Asked = { readonly name: string; readonly input: object }

async function act(
  given: Given,
  output: Output,
  asked: Asked,
  byItself: () => Promise<Shown>,
): Promise<void> {
  const { json, lines } = await byItself().catch(async (error: unknown) => {
    if (!isFault(error, 'platform/directory-in-use')) throw error
    output.progress('asking hsm watch')
    const shown = await byWatcher(controlSocket(stateDirectory(given)), asked)
    if (shown === undefined) throw error
    return shown
  })
  output.result(json, () => lines)
}

/**
 * `undefined` where nobody listens. A rotation takes the time that devices take, so no answer is too late.
 * @throws the watcher's own fault by its code, sdk/unreachable, sdk/bad-answer
 */
async function byWatcher(socketPath: string, { name, input }: Asked): Promise<Shown | undefined> {
  const outgoing = request({
    socketPath,
    method: 'POST',
    path: actPath(name),
    headers: { host: 'localhost', 'content-type': 'application/json' },
  })
  outgoing.end(JSON.stringify(input))
  let status: number
  let content: string
  try {
    const [answer] = (await once(outgoing, 'response')) as [IncomingMessage]
    status = answer.statusCode ?? 0
    content = await text(answer)
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).syscall === 'connect') return undefined
    const detail = 'hsm watch ended before it said whether it was done'
    throw new Fault('sdk/unreachable', { cause, detail })
  }
  const body = parsed(content)
  if (status !== 200) throw fromProblem(body, status)
  if (!isShown(body)) throw new Fault('sdk/bad-answer', { detail: 'no result of an act' })
  return body
}

function parsed(content: string): unknown {
  try {
    return JSON.parse(content)
  } catch (cause) {
    throw new Fault('sdk/bad-answer', { cause, detail: 'not JSON' })
  }
}

function isShown(body: unknown): body is Shown {
  if (typeof body !== 'object' || body === null || !('json' in body)) return false
  const { lines } = body as Partial<Shown>
  return Array.isArray(lines) && lines.every((line) => typeof line === 'string')
}
