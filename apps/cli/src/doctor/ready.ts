/** What a node answers to whoever asks whether it is ready. */
import { Fault, isFault } from '@quorate/base'
import { type Endpoint, send } from '@quorate/sdk'
import { error, type Finding, ok } from './finding.ts'

const NO_BODY = new Uint8Array()

export async function readiness(what: string, endpoint: Endpoint): Promise<Finding> {
  try {
    await send(endpoint, { method: 'GET', target: '/ready', headers: {}, body: NO_BODY })
    return ok(what, 'ready: it can sign')
  } catch (caught) {
    const fault = isFault(caught) ? caught : new Fault('cli/internal', { cause: caught })
    return error(what, fault.message, fault.remedy)
  }
}
