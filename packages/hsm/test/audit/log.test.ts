import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import {
  appendFileSync,
  copyFileSync,
  readdirSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { type AuditItemJson, verifyAudit } from '@quorate/api'
import { fromHex } from '@quorate/base'
import {
  type HsmEvent,
  hsmEvents,
  queryHsmAudit,
  type StoredAuditRecord,
  verifyHsmAudit,
} from '@quorate/hsm'
import { ed25519PublicKey, generateEd25519Key, signEd25519 } from '#src/ed25519.js'
import { isCode, NOW } from '../kit.ts'
import { Place, Stage, settle, signed, until } from './kit.ts'

const tampered = isCode('hsm/audit-tampered')
const filesIn = (directory: string): readonly string[] =>
  readdirSync(directory)
    .filter((name) => name.startsWith('audit-'))
    .sort()
    .map((name) => join(directory, name))
const all = (directory: string): readonly StoredAuditRecord[] =>
  queryHsmAudit(directory, {}, { limit: 1_000_000 }).records.toReversed()
const seed = generateEd25519Key().secret
const signer = {
  scheme: 'ed25519',
  publicKey: ed25519PublicKey(seed),
  sign: (message: Uint8Array) => Promise.resolve(signEd25519(seed, message)),
} as const

test('a confirmed record is on disk as it was given, and the next start goes on with the chain', async (t) => {
  const stage = new Stage(t)
  const records = [
    signed(1),
    { time: NOW, operation: 'list', result: 'done' } as const,
    signed(2, { result: 'refused', code: 'hsm/role-locked' }),
    signed(3, { result: 'failed', code: 'hsm/unavailable' }),
    { time: NOW, operation: 'failover.switched', result: 'done', device: 'luna-2' } as const,
    signed(4, { user: 'system' }),
    signed(5, { user: 'Jörg Müller <j@example.org>', operation: 'generateWrappableKey' }),
  ]
  const log = await stage.open()
  await Promise.all(records.map((record) => log.append(record)))
  assert.deepEqual(
    all(stage.directory).map(({ seq: _seq, ...record }) => record),
    records,
  )
  const again = await stage.open()
  await again.append(signed(6))
  assert.equal(again.head.seq, records.length + 1)
  const report = await verifyHsmAudit(stage.directory)
  assert.deepEqual([report.isOk, report.from, report.to, report.signedTo], [true, 1, 8, 0])
})

test('its records are those that the verifier of every audit log reads', async (t) => {
  const stage = new Stage(t)
  const log = await stage.open()
  await log.append(signed(1))
  await log.append(signed(2))
  const items = readFileSync(filesIn(stage.directory)[0] ?? '', 'utf8')
    .trim()
    .split('\n')
    .slice(1)
    .map((line) => JSON.parse(line) as AuditItemJson)
  assert.deepEqual(
    items.map(({ record }) => [record.action, record.actor, record.fields['role']]),
    [1, 2].map(() => ['hsm.sign', 'usr_7', 'validator']),
  )
  const report = await verifyAudit({
    records: items.map(({ bytes, h }) => ({ bytes: fromHex(bytes), h: fromHex(h) })),
    checkpoints: [],
    resolveKey: () => undefined,
    verify: () => false,
  })
  assert.deepEqual([report.isOk, report.to], [true, 2])
})

test('only text goes into a record, and nothing that drives a terminal', async (t) => {
  const stage = new Stage(t)
  const log = await stage.open()
  const secret = new Uint8Array(4) as unknown as string
  await assert.rejects(log.append(signed(1, { source: secret })), isCode('hsm/bad-argument'))
  await assert.rejects(
    log.append(signed(1, { operation: 'sign; drop' })),
    isCode('hsm/bad-argument'),
  )
  await log.append(signed(1, { source: 'a\u001b[31m\nb\u202e', user: 'x'.repeat(500) }))
  const [record] = all(stage.directory)
  assert.equal(record?.source, 'a?[31m?b?')
  assert.equal(record?.user?.length, 100)
})

test('one process holds the log', async (t) => {
  const stage = new Stage(t)
  await stage.open()
  const other = new Stage(t)
  await assert.rejects(
    other.open({ directory: stage.directory }),
    isCode('platform/directory-in-use'),
  )
})

test('files are turned over, and the chain goes on through them', async (t) => {
  const stage = new Stage(t)
  const log = await stage.open({ limits: { maxFileBytes: 3000 } })
  for (let n = 0; n < 30; n++) await log.append(signed(n))
  assert.ok(filesIn(stage.directory).length > 3)
  assert.deepEqual(
    all(stage.directory).map(({ time }) => time - NOW),
    Array.from({ length: 30 }, (_, n) => n),
  )
  await (await stage.open()).append(signed(30))
  const report = await verifyHsmAudit(stage.directory)
  assert.deepEqual([report.isOk, report.to], [true, 31])
  // Old files may be archived elsewhere: what is left verifies from its own start.
  rmSync(filesIn(stage.directory)[0] ?? '')
  const rest = await verifyHsmAudit(stage.directory)
  assert.deepEqual([rest.isOk, rest.from > 1, rest.to], [true, true, 31])
})

test('records are asked for by time and field, newest first and page by page', async (t) => {
  const stage = new Stage(t)
  const log = await stage.open({ limits: { maxFileBytes: 3000 } })
  for (let n = 0; n < 20; n++)
    await log.append(
      signed(n, {
        role: n % 2 === 0 ? 'validator' : 'admin',
        ...(n % 5 === 0 && { result: 'failed', code: 'hsm/unavailable' }),
      }),
    )
  const ask = (
    ...args: Parameters<typeof queryHsmAudit> extends [string, ...infer R] ? R : never
  ) => {
    const { records, before } = queryHsmAudit(stage.directory, ...args)
    return { times: records.map(({ time }) => time - NOW), before }
  }
  assert.deepEqual(ask({ role: 'admin', from: NOW + 3, to: NOW + 9 }), {
    times: [9, 7, 5, 3],
    before: undefined,
  })
  assert.deepEqual(ask({ code: 'hsm/unavailable' }).times, [15, 10, 5, 0])
  assert.deepEqual(ask({ result: 'failed', role: 'admin' }).times, [15, 5])
  assert.deepEqual(ask({ user: 'nobody' }).times, [])
  const seen: number[] = []
  for (let before: number | undefined = Number.MAX_SAFE_INTEGER; before !== undefined; ) {
    const page = ask({}, { before, limit: 7 })
    seen.push(...page.times)
    before = page.before
  }
  assert.deepEqual(
    seen,
    Array.from({ length: 20 }, (_, n) => 19 - n),
  )
})

describe('what was changed is named', () => {
  const written = async (t: ConstructorParameters<typeof Stage>[0]) => {
    const stage = new Stage(t)
    const log = await stage.open({ signer })
    for (let n = 1; n <= 6; n++) await log.append(signed(n))
    await log.close()
    const [file = ''] = filesIn(stage.directory)
    const lines = readFileSync(file, 'utf8').trimEnd().split('\n')
    return {
      stage,
      file,
      lines,
      put: (changed: readonly string[]) => writeFileSync(file, `${changed.join('\n')}\n`),
      async report() {
        const { isOk, problems } = await verifyHsmAudit(stage.directory, signer.publicKey)
        return isOk ? 'whole' : problems.map(({ code, seq }) => `${code} ${seq}`)
      },
    }
  }

  test('nothing, where nothing was', async (t) => {
    assert.equal(await (await written(t)).report(), 'whole')
  })

  const swapped = (line: string, from: string, to: string): string => {
    assert.ok(line.includes(from))
    return line.replace(from, to)
  }
  const changes: readonly (readonly [
    string,
    (lines: readonly string[]) => readonly string[],
    readonly string[],
    boolean,
  ])[] = [
    [
      'what people read',
      (l) => l.with(3, swapped(l[3]!, 'validator', 'nobody')),
      ['line-malformed 3', 'record-removed 3'],
      true,
    ],
    ['a record', (l) => l.with(3, l[4]!), ['record-removed 3', 'record-inserted 4'], true],
    ['a removed record', (l) => l.toSpliced(3, 1), ['record-removed 3'], true],
    [
      'two records that changed places',
      (l) => l.with(3, l[4]!).with(4, l[3]!),
      ['record-reordered 3'],
      true,
    ],
    ['a removed end', (l) => l.toSpliced(5, 2), ['tail-removed 5'], false],
    ['a removed start', (l) => l.slice(1), ['file-order 1'], true],
    ['a line of something else', (l) => l.toSpliced(4, 0, '{"v":2}'), ['line-malformed 4'], true],
  ]
  for (const [what, change, problems, isFoundAtStart] of changes)
    test(what, async (t) => {
      const { lines, put, report, stage } = await written(t)
      put(change(lines))
      assert.deepEqual(await report(), problems)
      // The process that goes on with the log refuses it too, as far as the files alone can tell.
      if (isFoundAtStart) await assert.rejects(stage.open(), tampered)
    })

  test('a chain that somebody has written anew', async (t) => {
    const { stage, report, file } = await written(t)
    const other = new Stage(t)
    const log = await other.open()
    for (let n = 1; n <= 7; n++) await log.append(signed(n, { user: 'usr_8' }))
    await log.close()
    copyFileSync(filesIn(other.directory)[0] ?? '', file)
    // Without a signature there is nothing to hold it against; the anchor is what tells.
    assert.equal((await verifyHsmAudit(stage.directory)).isOk, true)
    assert.equal(await report(), 'whole')
    assert.equal((await verifyHsmAudit(stage.directory, signer.publicKey)).signedTo, 0)
  })

  test('a checkpoint that another key has signed', async (t) => {
    const { stage } = await written(t)
    const report = await verifyHsmAudit(stage.directory, ed25519PublicKey(new Uint8Array(32)))
    assert.deepEqual(
      report.problems.map(({ code }) => code),
      ['checkpoint-key-unknown'],
    )
  })
})

describe('an anchor outside of the directory', () => {
  for (const [what, by] of [
    ['signed', { signer }],
    ['unsigned', {}],
  ] as const)
    test(`${what}: tells a log that was put back or written anew`, async (t) => {
      const stage = new Stage(t)
      const anchorFile = join(stage.root, 'anchor')
      const options = { ...by, anchorFile }
      const log = await stage.open(options)
      for (let n = 0; n < 3; n++) await log.append(signed(n))
      const [file = ''] = filesIn(stage.directory)
      const before = readFileSync(file)
      stage.time.advance(60_000)
      await settle()
      await log.append(signed(4))
      stage.time.advance(60_000)
      await settle()
      await log.close()
      const whole = readFileSync(file)
      writeFileSync(file, before)
      await assert.rejects(stage.open(options), tampered)
      writeFileSync(file, whole)
      await (await stage.open(options)).append(signed(5))
      await stage.open({})
      writeFileSync(anchorFile, '{}\n')
      await assert.rejects(stage.open(options), tampered)
    })
})

describe('what a crash leaves', () => {
  for (const [what, tail] of [
    ['half a line', '{"bytes":"a5'],
    ['zeros', '\0'.repeat(4096)],
    ['zeros and the end of a line', `${'\0'.repeat(300)}9"}}\n`],
    ['a whole line without its end', undefined],
  ] as const)
    test(`${what}: is cut off, and nothing else`, async (t) => {
      const stage = new Stage(t)
      const log = await stage.open()
      await log.append(signed(1))
      await log.append(signed(2))
      await log.close()
      const [file = ''] = filesIn(stage.directory)
      if (tail === undefined) truncateSync(file, readFileSync(file).length - 1)
      else appendFileSync(file, tail)
      assert.ok((await verifyHsmAudit(stage.directory)).torn > 0)
      const again = await stage.open()
      await again.append(signed(3))
      const kept = tail === undefined ? ['sign'] : ['sign', 'sign']
      assert.deepEqual(
        all(stage.directory).map(({ operation }) => operation),
        [...kept, 'audit.repaired', 'sign'],
      )
      assert.equal((await verifyHsmAudit(stage.directory)).isOk, true)
    })

  test('zeros with records behind them are no crash', async (t) => {
    const stage = new Stage(t)
    const log = await stage.open()
    for (let n = 0; n < 3; n++) await log.append(signed(n))
    await log.close()
    const [file = ''] = filesIn(stage.directory)
    const lines = readFileSync(file, 'utf8').split('\n')
    writeFileSync(file, lines.with(2, '\0'.repeat(lines[2]?.length ?? 0)).join('\n'))
    await assert.rejects(stage.open(), tampered)
  })

  test('no confirmed record is lost to kill -9', { timeout: 120_000 }, async (t) => {
    const stage = new Stage(t)
    const confirmed: string[] = []
    for (let round = 0; round < 6; round++) {
      const child = spawn(
        process.execPath,
        [new URL('./writer.js', import.meta.url).pathname, stage.directory],
        {
          stdio: ['ignore', 'pipe', 'inherit'],
        },
      )
      let output = ''
      const ended = new Promise((resolve) => child.once('close', resolve))
      child.stdout.on('data', (chunk: Buffer) => {
        output += chunk.toString()
        if (output.length > 300 * (round + 1)) child.kill('SIGKILL')
      })
      await ended
      confirmed.push(
        ...output
          .split('\n')
          .slice(0, -1)
          .map((code) => `${round}/${code}`),
      )
    }
    assert.ok(confirmed.length > 100)
    // Every round starts its codes anew: of each as many must be there as were confirmed.
    const counts = new Map<string, number>()
    for (const { code = '' } of all(stage.directory)) counts.set(code, (counts.get(code) ?? 0) + 1)
    const wanted = new Map<string, number>()
    for (const each of confirmed) {
      const code = each.split('/')[1] ?? ''
      wanted.set(code, (wanted.get(code) ?? 0) + 1)
    }
    for (const [code, count] of wanted) assert.ok((counts.get(code) ?? 0) >= count, code)
    await (await stage.open()).append(signed(1))
    assert.equal((await verifyHsmAudit(stage.directory)).isOk, true)
  })
})

describe('places besides the files', () => {
  test('get every record in order, and after a restart what they lack', async (t) => {
    const stage = new Stage(t)
    const remote = new Place()
    const log = await stage.open({ places: [{ delivery: remote }], limits: { maxFileBytes: 2000 } })
    for (let n = 1; n <= 5; n++) await log.append(signed(n))
    await settle()
    remote.fails = true
    for (let n = 6; n <= 12; n++) await log.append(signed(n))
    await settle()
    assert.equal(log.figures.places[0]?.waiting, 7)
    await log.close()
    assert.ok(remote.isClosed)
    const next = new Place()
    const again = await stage.open({ places: [{ delivery: next }] })
    await again.append(signed(13))
    await until(() => again.figures.places[0]?.waiting === 0)
    assert.deepEqual(
      [...new Set([...remote.taken, ...next.taken].map(({ seq }) => seq))],
      Array.from({ length: 13 }, (_, n) => n + 1),
    )
    assert.deepEqual(
      next.taken.map(({ seq }) => seq),
      [6, 7, 8, 9, 10, 11, 12, 13],
    )
    assert.equal(next.taken[0]?.time, NOW + 6)
  })

  test('are tried again with growing pauses, and their trouble is an event', async (t) => {
    const stage = new Stage(t)
    const remote = new Place()
    remote.fails = true
    const events = hsmEvents()
    const heard: HsmEvent[] = []
    events.on((event) => heard.push(event))
    const log = await stage.open({ places: [{ delivery: remote }], events })
    await log.append(signed(1))
    await settle()
    stage.time.advance(500)
    await settle()
    assert.equal(log.figures.places[0]?.failures, 2)
    remote.fails = false
    stage.time.advance(999)
    await settle()
    assert.equal(remote.taken.length, 0)
    stage.time.advance(1)
    await settle()
    assert.equal(remote.taken.length, 1)
    assert.deepEqual(
      heard.map(({ kind }) => kind),
      ['audit.lost', 'audit.restored'],
    )
  })

  test('one that is required holds the confirmation back until it has the record, or fails it', async (t) => {
    const stage = new Stage(t)
    const remote = new Place()
    const log = await stage.open({ places: [{ delivery: remote, isRequired: true }] })
    await log.append(signed(1))
    assert.equal(remote.taken.length, 1)
    remote.fails = true
    const late = log.append(signed(2))
    const failed = assert.rejects(late, isCode('hsm/audit-unavailable'))
    await until(() => (log.figures.places[0]?.failures ?? 0) > 0)
    await settle()
    stage.time.advance(10_000)
    await failed
    const pending = assert.rejects(log.append(signed(3)), isCode('hsm/audit-unavailable'))
    await until(() => log.figures.records === 3)
    await log.close()
    await pending
  })

  test('one that cannot confirm cannot be required', async (t) => {
    const stage = new Stage(t)
    const places = [{ delivery: new Place('syslog', false), isRequired: true }]
    await assert.rejects(stage.open({ places }), isCode('hsm/bad-config'))
  })

  test('once too much waits for one, nothing is confirmed any more', async (t) => {
    const stage = new Stage(t)
    const remote = new Place()
    remote.fails = true
    const log = await stage.open({ places: [{ delivery: remote }], limits: { maxBacklog: 3 } })
    for (let n = 0; n < 3; n++) await log.append(signed(n))
    await assert.rejects(log.append(signed(4)), isCode('hsm/audit-unavailable'))
    assert.equal(log.head.seq, 3)
  })

  test('a log shorter than what a place has was put back', async (t) => {
    const stage = new Stage(t)
    const log = await stage.open({ places: [{ delivery: new Place() }] })
    const [file = ''] = filesIn(stage.directory)
    await log.append(signed(1))
    const before = readFileSync(file)
    await log.append(signed(2))
    await settle()
    await log.close()
    writeFileSync(file, before)
    await assert.rejects(stage.open({ places: [{ delivery: new Place() }] }), tampered)
  })
})
