/** Server-sent events (HTML Living Standard, section 9.2.6) out of the bytes of an answer. */
import { fromProblem } from '@quorate/api'
import { Fault } from '@quorate/base'
import { parseJson } from './reply.ts'

export type StreamEvent = { readonly event: string; readonly data: string }

/** An operation with its result is far below this. */
const MAX_EVENT_CHARS = 64 * 1024 * 1024

/** @throws sdk/bad-answer for an event that never ends */
export async function* parseEvents(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<StreamEvent> {
  const decoder = new TextDecoder()
  let rest = ''
  let event = ''
  let data: string[] = []
  for await (const chunk of chunks) {
    rest += decoder.decode(chunk, { stream: true })
    if (rest.length > MAX_EVENT_CHARS) throw new Fault('sdk/bad-answer', { detail: 'too long' })
    const lines = rest.split(/\r\n|\n|\r(?!$)/)
    rest = lines.pop() ?? ''
    for (const line of lines) {
      if (line === '') {
        if (data.length > 0)
          yield { event: event === '' ? 'message' : event, data: data.join('\n') }
        event = ''
        data = []
        continue
      }
      const [, name = '', value = ''] = /^([^:]*)(?:: ?(.*))?$/s.exec(line) ?? []
      if (name === 'event') event = value
      if (name === 'data') data.push(value)
    }
  }
}

/** The data of the events named `name`. @throws the fault of an event `problem`, with which the node ends a stream */
export async function* readEvents(
  chunks: AsyncIterable<Uint8Array>,
  name: string,
): AsyncGenerator<unknown> {
  for await (const { event, data } of parseEvents(chunks)) {
    const json = parseJson(data)
    if (event === 'problem') throw fromProblem(json, 500)
    if (event === name) yield json
  }
}
