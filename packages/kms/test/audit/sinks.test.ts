import assert from 'node:assert/strict'
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { readFileSync, statSync } from 'node:fs'
import http from 'node:http'
import net, { type AddressInfo } from 'node:net'
import { join } from 'node:path'
import test from 'node:test'
import { isFault } from '@quorate/base'
import { AuditSink, fileDelivery, httpDelivery } from '#src/audit/sinks.js'
import { syslogMessage, syslogSender } from '#src/audit/syslog.js'
import { openTestKms } from '#src/testing/index.js'
import { scratch } from '../scratch.js'

const LINES = [
  '{"time":"2026-01-02T03:04:05.678Z","seq":1}',
  '{"time":"2026-01-02T03:04:05.679Z","seq":2,"x":"ü"}',
]
const SILENT = { log: () => undefined, with: () => SILENT }

test('a message of syslog has the form of RFC 5424', () => {
  const text = syslogMessage(LINES[1]!).toString('utf8')
  assert.match(
    text,
    /^<109>1 2026-01-02T03:04:05\.679Z \S+ quorate-kms \d+ audit - \ufeff\{"time".*"x":"ü"\}$/,
  )
})

test('a file gets every line, and is private', async (t) => {
  const path = join(scratch(t), 'audit.jsonl')
  const deliver = fileDelivery(path)
  await deliver(LINES)
  await deliver(LINES.slice(0, 1))
  assert.equal(readFileSync(path, 'utf8'), `${[...LINES, LINES[0]].join('\n')}\n`)
  assert.equal(statSync(path).mode & 0o777, 0o600)
  await assert.rejects(fileDelivery(join(path, 'nonsense'))(LINES), (error) =>
    isFault(error, 'platform/file-unreadable'),
  )
})

test('syslog over UDP, TCP and a unix socket', async (t) => {
  const udp = createSocket('udp4').bind(0, '127.0.0.1')
  await once(udp, 'listening')
  const got = once(udp, 'message')
  await syslogSender(`udp://127.0.0.1:${udp.address().port}`)(LINES.slice(0, 1))
  assert.deepEqual((await got)[0], syslogMessage(LINES[0]!))
  udp.close()
  const framed = LINES.map((line) => {
    const message = syslogMessage(line)
    return `${message.length} ${message.toString()}`
  }).join('')
  for (const where of ['tcp', 'unix']) {
    let received = ''
    const sockets: net.Socket[] = []
    const server = net.createServer((socket) => {
      sockets.push(socket)
      socket.on('data', (chunk) => {
        received += chunk.toString()
        if (received.length >= framed.length) server.emit('all')
      })
    })
    const path = join(scratch(t), 's')
    server.listen(where === 'tcp' ? { port: 0, host: '127.0.0.1' } : { path })
    await once(server, 'listening')
    const all = once(server, 'all')
    const target =
      where === 'tcp' ? `tcp://127.0.0.1:${(server.address() as AddressInfo).port}` : `unix:${path}`
    const send = syslogSender(target)
    await send(LINES)
    await all
    assert.equal(received, framed)
    for (const socket of sockets) socket.destroy()
    server.close()
    await once(server, 'close')
    await assert.rejects(async () => {
      // The first write after the other side has gone may still be taken by the kernel.
      for (let i = 0; i < 20; i++) await send(LINES)
    })
  }
})

test('over HTTP only an answer of success counts', async () => {
  const bodies: string[] = []
  const server = http.createServer((request, response) => {
    let body = ''
    request.on('data', (chunk) => {
      body += chunk
    })
    request.on('end', () => {
      bodies.push(body)
      response.statusCode = bodies.length === 1 ? 500 : 204
      response.end()
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const deliver = httpDelivery(`http://127.0.0.1:${(server.address() as AddressInfo).port}/x`)
  await assert.rejects(deliver(LINES), (error) => isFault(error, 'kms/audit-backlog'))
  await deliver(LINES)
  assert.equal(bodies[1], `${LINES.join('\n')}\n`)
  server.closeAllConnections()
  server.close()
})

test('a sink that takes nothing fills its backlog, and then the store refuses to work', async (t) => {
  const kms = await openTestKms({ directory: scratch(t) })
  let isUp = false
  const delivered: string[] = []
  let wake = (): void => undefined
  const drained = new Promise<void>((resolve) => {
    wake = resolve
  })
  let open = (): void => undefined
  const gate = new Promise<void>((resolve) => {
    open = resolve
  })
  const sink = new AuditSink(
    'test',
    async (lines) => {
      if (!isUp) await gate
      delivered.push(...lines)
      if (delivered.length >= 5) wake()
    },
    5,
    SILENT,
  )
  kms.onWritten((group) => sink.accept(group))
  kms.addGate(() => sink.check())
  const one = () =>
    kms.context.journal.record({
      actor: 'system',
      action: 'test.read',
      resource: 'x',
      decision: 'none',
      outcome: 'done',
      fields: [],
    })
  for (let i = 0; i < 5; i++) await one()
  assert.equal(sink.state.waiting, 5)
  const { seq } = kms.journal.head
  await assert.rejects(one(), (error) => isFault(error, 'kms/audit-backlog'))
  assert.equal(kms.journal.head.seq, seq)
  isUp = true
  open()
  await drained
  await one()
  assert.deepEqual(
    delivered.slice(0, 5).map((line) => (JSON.parse(line) as { seq: number }).seq),
    [1, 2, 3, 4, 5].map((i) => seq - 5 + i),
  )
  await kms.close()
  sink.close()
})
