import assert from 'node:assert/strict'
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import net, { type AddressInfo } from 'node:net'
import { join } from 'node:path'
import { test } from 'node:test'
import { syslogDelivery } from '@quorate/hsm'
import { isCode, NOW } from '../kit.ts'
import { place, Stage, signed, until } from './kit.ts'

test('a record goes out as RFC 5424 says, with its place in the chain', async (t) => {
  const udp = createSocket('udp4').bind(0, '127.0.0.1')
  t.after(() => udp.close())
  await once(udp, 'listening')
  const got = once(udp, 'message')
  const stage = new Stage(t)
  const delivery = syslogDelivery(`udp://127.0.0.1:${udp.address().port}`)
  const log = await stage.open({ places: [{ delivery }] })
  await log.append(signed(1))
  const [header = '', body = ''] = String((await got)[0]).split(' \ufeff')
  assert.match(header, /^<109>1 \S+ \S+ quorate-hsm \d+ audit -$/)
  assert.equal(header.split(' ')[1], new Date(NOW + 1).toISOString())
  const { record, h } = JSON.parse(body) as { h: string; record: { seq: number } }
  assert.deepEqual([record.seq, h], [1, Buffer.from(log.head.h).toString('hex')])
})

test('over a stream every message has its length in front; one that is gone is tried again', async (t) => {
  let received = ''
  const sockets: net.Socket[] = []
  const server = net.createServer((socket) => {
    sockets.push(socket)
    socket.on('data', (chunk) => {
      received += chunk.toString()
    })
  })
  const path = join(place(t), 's')
  server.listen({ path })
  await once(server, 'listening')
  t.after(() => server.close())
  const stage = new Stage(t)
  const log = await stage.open({ places: [{ delivery: syslogDelivery(`unix:${path}`) }] })
  const count = (): number => received.match(/quorate-hsm/g)?.length ?? 0
  for (let n = 0; n < 3; n++) await log.append(signed(n))
  await until(() => count() === 3)
  const length = Number(/^\d+/.exec(received)?.[0])
  assert.match(
    Buffer.from(received)
      .subarray(String(length).length + 1 + length)
      .toString(),
    /^\d+ <109>1 /,
  )
  for (const socket of sockets) socket.destroy()
  // What the kernel took just then is lost, and nobody can know: the files are what counts.
  for (let n = 0; count() < 5; n++) {
    await log.append(signed(n))
    stage.time.advance(30_000)
  }
})

test('it cannot confirm, and is nowhere else', () => {
  assert.equal(syslogDelivery('tcp://127.0.0.1:514').confirms, false)
  for (const wrong of ['http://x', 'udp://x', 'unix:relative', '127.0.0.1:514'])
    assert.throws(() => syslogDelivery(wrong), isCode('hsm/bad-config'))
})

test('the address of TCP is taken apart as it is written', async (t) => {
  const server = net.createServer()
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => server.close())
  const connected = once(server, 'connection')
  const delivery = syslogDelivery(`tcp://127.0.0.1:${(server.address() as AddressInfo).port}`)
  await delivery.deliver([{ seq: 1, time: NOW, text: '{}' }])
  const [socket] = (await connected) as [net.Socket]
  const [chunk] = (await once(socket, 'data')) as [Buffer]
  assert.match(chunk.toString(), /^\d+ <109>1 .* audit - \ufeff\{\}$/)
  await delivery.close()
  await once(socket, 'close')
})
