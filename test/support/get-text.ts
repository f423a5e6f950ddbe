/** An HTTP request as any program on the machine can make it: without a client's signature. */
import { once } from 'node:events'
import { type IncomingMessage, request } from 'node:http'

export type TextAnswer = {
  readonly status: number | undefined
  readonly type: string | undefined
  readonly text: string
}

export async function getText(socketPath: string, path: string): Promise<TextAnswer> {
  const asked = request({ socketPath, path, agent: false, headers: { host: 'localhost' } })
  asked.end()
  const [answer] = (await once(asked, 'response')) as [IncomingMessage]
  let text = ''
  for await (const chunk of answer) text += String(chunk)
  return { status: answer.statusCode, type: answer.headers['content-type'], text }
}
