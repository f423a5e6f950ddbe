/** The worker thread of a database: takes requests, groups the writes that wait, answers. */
import { isMainThread, parentPort, workerData } from 'node:worker_threads'
import { bug, type Fault, isFault } from '@quorate/base'
import type { Answer, Request, WireFault } from './messages.ts'
import { StatementFault } from './port.ts'
import { Writer, type WriterOptions } from './writer.ts'

/** Enough that the flush is shared well, few enough that the first does not wait for long. */
const MAX_GROUP = 512

const wire = (fault: Fault): WireFault => ({
  code: fault.code,
  detail: fault.detail,
  statement: fault instanceof StatementFault ? fault.statement : undefined,
})

async function main(port: NonNullable<typeof parentPort>): Promise<void> {
  const answer = (message: Answer): void => port.postMessage(message)
  let writer: Writer
  try {
    writer = await Writer.open(workerData as WriterOptions)
  } catch (error) {
    answer({ kind: 'failed', fault: wire(isFault(error) ? error : bug('a fault was expected')) })
    return
  }
  const waiting: Extract<Request, { kind: 'write' }>[] = []
  const flush = (): void => {
    if (waiting.length === 0) return
    const group = waiting.splice(0, MAX_GROUP)
    const outcomes = writer.writeAll(group.map(({ statements }) => statements))
    answer({
      kind: 'written',
      outcomes: group.map(({ id }, i) => {
        const outcome = outcomes[i] ?? bug('one outcome per write')
        return isFault(outcome as unknown)
          ? { id, fault: wire(outcome as Fault) }
          : { id, changes: outcome as readonly number[] }
      }),
    })
    if (waiting.length > 0) setImmediate(flush)
  }
  const attempt = (id: number, work: () => unknown): void => {
    try {
      answer({ kind: 'done', id, result: work() })
    } catch (error) {
      if (!isFault(error)) throw error
      answer({ kind: 'done', id, fault: wire(error) })
    }
  }
  port.on('message', (request: Request) => {
    switch (request.kind) {
      case 'write':
        // Messages already here are delivered before the immediate runs, so they join the group.
        if (waiting.push(request) === 1) setImmediate(flush)
        return
      case 'read':
        attempt(request.id, () => writer.read(request.sql, request.params))
        return
      case 'checkpoint':
        while (waiting.length > 0) flush()
        attempt(request.id, () => writer.checkpoint())
        return
      case 'close':
        while (waiting.length > 0) flush()
        attempt(request.id, () => writer.close())
        port.close()
    }
  })
  answer({ kind: 'ready', storeId: writer.storeId })
}

if (!isMainThread && parentPort !== null) await main(parentPort)
