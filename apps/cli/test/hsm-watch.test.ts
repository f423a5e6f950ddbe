import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { before, describe, test } from 'node:test'
import { AlertBook, HsmAuditLog, type KeyId, openHsmState } from '@quorate/hsm'
import { systemClock, systemRandom, systemTimers } from '@quorate/platform'
import { cliIn, document, errorOf, scratch } from './support/cli.ts'

const home = scratch('home')
const quorate = cliIn(home)
const silent = { log: () => undefined, with: () => silent }

type Verdict = {
  readonly isValid: boolean
  readonly level?: string
  readonly code?: string
  readonly boot?: number
}
type Made = {
  readonly nonce: string
  readonly key: { readonly algorithm: string; readonly publicKey: string }
}
type Key = { readonly publicKey: string }

describe('hsm attest', () => {
  const at = ['--hsm', `simulated:${join(home, 'hsm')}`]
  const nonce = '5f'.repeat(32)
  let signer = ''
  let attester = ''

  before(async () => {
    const key = async (label: string): Promise<string> =>
      document<Key>(
        await quorate('hsm', 'generate', '--label', label, '--algorithm', 'p256', ...at, '--json'),
      ).publicKey
    signer = `p256:${await key('signer')}`
    attester = `p256:${await key('attest')}`
  })

  const verify = (file: string, ...more: readonly string[]) =>
    quorate(
      'hsm',
      'attest',
      'verify',
      file,
      '--public-key',
      signer,
      '--nonce',
      nonce,
      '--json',
      ...more,
    )

  test('a document of an enrolled key verifies at its level, and a later start makes it old', async () => {
    const make = async (name: string): Promise<string> => {
      const made = await quorate(
        'hsm',
        'attest',
        'make',
        '--key',
        'signer',
        '--attestation-key',
        'attest',
        '--device-name',
        'rack 7',
        '--nonce',
        nonce,
        '--out',
        name,
        ...at,
        '--json',
      )
      assert.equal(`p256:${document<Made>(made).key.publicKey}`, signer)
      return join(home, name)
    }
    const [first, second] = [await make('first'), await make('second')]
    const trusted = ['--enrolled', `rack 7=${attester}`]
    const hardware = await verify(first, ...trusted)
    assert.equal(hardware.code, 6)
    assert.equal((JSON.parse(hardware.out) as Verdict).code, 'hsm/weak-custody')
    const lower = [...trusted, '--at-least', 'self-attested', '--state', join(home, 'seen')]
    const seen = document<Verdict>(await verify(second, ...lower))
    assert.deepEqual([seen.isValid, seen.level, seen.boot], [true, 'self-attested', 2])
    const older = await verify(first, ...lower)
    assert.deepEqual(
      [older.code, (JSON.parse(older.out) as Verdict).code],
      [6, 'hsm/attestation-stale'],
    )
    const text = await quorate(
      'hsm',
      'attest',
      'verify',
      second,
      '--public-key',
      signer,
      '--nonce',
      nonce,
      ...trusted,
      '--at-least',
      'self-attested',
    )
    assert.match(text.out, /Level: self-attested[\s\S]*rack 7/)
    const stranger = await verify(second, '--at-least', 'self-attested')
    assert.deepEqual(
      [stranger.code, (JSON.parse(stranger.out) as Verdict).code],
      [6, 'hsm/attestation-invalid'],
    )
    const replayed = await quorate(
      'hsm',
      'attest',
      'verify',
      second,
      '--public-key',
      signer,
      '--nonce',
      '00'.repeat(32),
      ...trusted,
      '--at-least',
      'self-attested',
      '--json',
    )
    assert.equal((JSON.parse(replayed.out) as Verdict).code, 'hsm/attestation-stale')
  })

  test('the attestation of a simulated HSM reaches no more than that', async () => {
    const made = await quorate(
      'hsm',
      'attest',
      'make',
      '--key',
      'signer',
      '--nonce',
      nonce,
      '--out',
      'own',
      ...at,
      '--json',
    )
    assert.equal(made.code, 0, made.err)
    const file = join(home, 'own')
    const unknown = await verify(file, '--at-least', 'simulated')
    assert.equal((JSON.parse(unknown.out) as Verdict).code, 'hsm/attestation-invalid')
    const root = ['--simulated-root', 'ab'.repeat(32)]
    assert.equal(
      (JSON.parse((await verify(file, ...root, '--at-least', 'simulated')).out) as Verdict).isValid,
      false,
    )
    assert.equal(
      (JSON.parse((await verify(file, ...root)).out) as Verdict).code,
      'hsm/weak-custody',
    )
    // Named as one of a maker it is none either.
    const forged = { ...(JSON.parse(readFileSync(file, 'utf8')) as object), format: 'yubihsm-x509' }
    writeFileSync(join(home, 'forged'), JSON.stringify(forged))
    assert.equal(
      (JSON.parse((await verify(join(home, 'forged'))).out) as Verdict).code,
      'hsm/attestation-invalid',
    )
  })

  test('what is no attestation, no key and no nonce is said', async () => {
    writeFileSync(join(home, 'nothing'), '{"format":"x"}')
    assert.equal(errorOf(await verify(join(home, 'nothing'))).code, 'cli/bad-file')
    const make = (...more: readonly string[]) =>
      quorate('hsm', 'attest', 'make', ...at, '--json', ...more)
    assert.equal(errorOf(await make('--key', 'signer', '--nonce', 'abc')).code, 'cli/bad-value')
    assert.equal(errorOf(await make()).code, 'cli/missing-argument')
    assert.equal(
      errorOf(await quorate('hsm', 'attest', 'verify', 'own', '--json')).code,
      'cli/missing-argument',
    )
  })

  test('the doctor judges by them', async () => {
    type Findings = {
      readonly findings: readonly {
        readonly id: string
        readonly state: string
        readonly evidence?: string
      }[]
    }
    const d20 = async (...more: readonly string[]) =>
      (
        JSON.parse(
          (await quorate('hsm', 'doctor', ...at, '--no-probe', '--json', ...more)).out,
        ) as Findings
      ).findings.filter(({ id }) => id === 'D20')
    assert.deepEqual(
      (await d20()).map(({ state }) => state),
      ['clear'],
    )
    const stored = await d20(
      '--attestation',
      join(home, 'first'),
      '--enrolled',
      `rack 7=${attester}`,
    )
    assert.deepEqual(
      stored.map(({ evidence }) => evidence),
      ['"attest" gives no attestation'],
    )
  })
})

describe('hsm alerts', () => {
  const state = join(home, 'state')
  type Alerts = {
    readonly items: readonly {
      readonly id: number
      readonly state: string
      readonly kind: string
    }[]
  }
  const alerts = (verb: string, ...more: readonly string[]) =>
    quorate('hsm', 'alerts', verb, '--state', state, '--json', ...more)

  before(async () => {
    const kept = await openHsmState(state)
    const book = new AlertBook({ state: kept, clock: systemClock, logger: silent })
    await book.take({
      kind: 'health.lost',
      severity: 'critical',
      component: 'luna-1',
      time: 1_767_225_600_000,
      reason: 'hsm/unavailable',
    })
    await book.take({
      kind: 'fallback.used',
      severity: 'info',
      component: 'software',
      time: 1_767_225_600_000,
      role: 'validator',
      left: 9,
    })
    await book.settled()
    await kept.close()
  })

  test('are listed, acknowledged and resolved, by whom', async () => {
    assert.deepEqual(
      document<Alerts>(await alerts('list')).items.map(({ id, kind, state: now }) => [
        id,
        kind,
        now,
      ]),
      [
        [2, 'fallback.used', 'open'],
        [1, 'health.lost', 'open'],
      ],
    )
    assert.equal(document<Alerts>(await alerts('list', '--severity', 'critical')).items.length, 1)
    const taken = document<{ acknowledged: { by: string } }>(
      await alerts('acknowledge', '1', '--by', 'ada'),
    )
    assert.equal(taken.acknowledged.by, 'ada')
    const put = document<{ state: string }>(await alerts('resolve', '1'))
    assert.equal(put.state, 'resolved')
    assert.deepEqual(
      document<Alerts>(await alerts('list', '--status', 'open')).items.map(({ id }) => id),
      [2],
    )
    const table = await quorate('hsm', 'alerts', 'list', '--state', state)
    assert.match(
      table.out,
      /health\.lost +luna-1 +2026-01-01T00:00:00\.000Z +1 +reason=hsm\/unavailable/,
    )
  })

  test('one that is not there, or no number, is said', async () => {
    assert.equal(errorOf(await alerts('resolve', '99')).code, 'hsm/alert-not-found')
    assert.equal(errorOf(await alerts('resolve', 'x')).code, 'cli/bad-value')
    assert.equal(errorOf(await alerts('list', '--severity', 'bad')).code, 'cli/bad-value')
  })
})

describe('hsm audit', () => {
  const directory = join(home, 'audit')
  const audit = (verb: string, ...more: readonly string[]) =>
    quorate('hsm', 'audit', verb, '--audit-dir', directory, '--json', ...more)

  before(async () => {
    const log = await HsmAuditLog.open({
      directory,
      clock: systemClock,
      timers: systemTimers,
      random: systemRandom,
      logger: silent,
    })
    const day = Date.parse('2026-01-02T00:00:00Z')
    for (let n = 0; n < 5; n++)
      await log.append({
        time: day + n * 3_600_000,
        operation: 'sign',
        key: '0a' as KeyId,
        role: n < 3 ? 'validator' : 'admin',
        user: 'ada',
        source: '10.0.0.7',
        result: n === 4 ? 'refused' : 'done',
      })
    await log.close()
  })

  test('is asked by field and time, page by page', async () => {
    type Page = {
      readonly items: readonly { readonly seq: number; readonly user: string }[]
      readonly before: number | null
    }
    const seqs = async (...more: readonly string[]) =>
      document<Page>(await audit('list', ...more)).items.map(({ seq }) => seq)
    assert.deepEqual(await seqs(), [5, 4, 3, 2, 1])
    assert.deepEqual(await seqs('--role', 'validator', '--from', '2026-01-02T01:00:00Z'), [3, 2])
    assert.deepEqual(await seqs('--result', 'refused'), [5])
    assert.deepEqual(await seqs('--to', '2026-01-02'), [1])
    const page = document<Page>(await audit('list', '--limit', '2'))
    assert.deepEqual([page.items.length, page.before], [2, 4])
    assert.deepEqual(await seqs('--before', '4'), [3, 2, 1])
    assert.equal(errorOf(await audit('list', '--from', 'yesterday')).code, 'cli/bad-value')
  })

  test('is verified, and what was changed is named', async () => {
    const whole = document<{ isOk: boolean; to: number }>(await audit('verify'))
    assert.deepEqual([whole.isOk, whole.to], [true, 5])
    const file = join(directory, 'audit-000000000001.jsonl')
    writeFileSync(
      file,
      readFileSync(file, 'utf8').replace('"user"', '"lord"').replace('"ada"', '"eve"'),
    )
    const changed = await audit('verify')
    assert.equal(changed.code, 6)
    const { problems } = JSON.parse(changed.out) as {
      problems: readonly { code: string; seq: number }[]
    }
    assert.deepEqual(
      problems.map(({ code, seq }) => [code, seq]),
      [
        ['line-malformed', 1],
        ['record-removed', 1],
      ],
    )
    const none = await quorate(
      'hsm',
      'audit',
      'verify',
      '--audit-dir',
      join(home, 'none'),
      '--json',
    )
    assert.equal(errorOf(none).code, 'hsm/bad-argument')
  })
})
