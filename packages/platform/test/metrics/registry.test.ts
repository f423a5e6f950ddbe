import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { test } from 'node:test'
import fc from 'fast-check'
import { MAX_SERIES, Registry } from '#src/metrics/registry.js'

test('counters, gauges and histograms are written as Prometheus reads them', () => {
  const registry = new Registry('acme_')
  const calls = registry.counter('calls_total', 'Calls.', ['route'])
  registry.counter('starts_total', 'Starts.')
  const seconds = registry.histogram('call_seconds', 'From call to answer.', [0.1, 1], ['route'])
  registry.read('gauge', 'peers', 'Peers.', () => [
    [{ state: 'here' }, 2],
    [{ state: 'never' }, Number.NaN],
  ])
  registry.read('gauge', 'age_seconds', 'Age.', () => undefined)
  calls.add({ route: 'a' })
  calls.add({ route: 'a' }, 2)
  for (const value of [0.1, 0.5, 7]) seconds.observe({ route: 'a' }, value)
  assert.equal(
    registry.render(),
    [
      '# HELP acme_calls_total Calls.',
      '# TYPE acme_calls_total counter',
      'acme_calls_total{route="a"} 3',
      '# HELP acme_starts_total Starts.',
      '# TYPE acme_starts_total counter',
      'acme_starts_total 0',
      '# HELP acme_call_seconds From call to answer.',
      '# TYPE acme_call_seconds histogram',
      'acme_call_seconds_bucket{route="a",le="0.1"} 1',
      'acme_call_seconds_bucket{route="a",le="1"} 2',
      'acme_call_seconds_bucket{route="a",le="+Inf"} 3',
      'acme_call_seconds_sum{route="a"} 7.6',
      'acme_call_seconds_count{route="a"} 3',
      '# HELP acme_peers Peers.',
      '# TYPE acme_peers gauge',
      'acme_peers{state="here"} 2',
      '# HELP acme_age_seconds Age.',
      '# TYPE acme_age_seconds gauge',
      '',
    ].join('\n'),
  )
  assert.deepEqual(registry.names, [
    'acme_calls_total',
    'acme_starts_total',
    'acme_call_seconds',
    'acme_peers',
    'acme_age_seconds',
  ])
})

test('no label value can begin a line, end a quote or add a series beyond the bound', () => {
  fc.assert(
    fc.property(fc.array(fc.string({ unit: 'binary' }), { maxLength: 20 }), (values) => {
      const registry = new Registry('x_')
      const counter = registry.counter('odd_total', 'Odd.', ['v'])
      for (const v of values) counter.add({ v })
      const lines = registry.render().slice(0, -1).split('\n')
      assert.equal(lines.length, 2 + new Set(values).size)
      for (const each of lines.slice(2))
        assert.match(each, /^x_odd_total\{v="([^"\\\n]|\\["\\n])*"\} \d+$/u)
    }),
  )
  const registry = new Registry('x_')
  const counter = registry.counter('many_total', 'Many.', ['v'])
  for (let i = 0; i < 2 * MAX_SERIES; i++) counter.add({ v: String(i) })
  const lines = registry.render().split('\n')
  assert.equal(lines.filter((each) => each.startsWith('x_many_total{')).length, MAX_SERIES + 1)
  assert.ok(lines.includes(`x_many_total{v="other"} ${MAX_SERIES}`))
})

test('what is no proper metric is a bug, and says so at once', () => {
  const registry = new Registry('x_')
  registry.counter('a_total', 'A.')
  assert.throws(() => registry.counter('a_total', 'Again.'))
  assert.throws(() => registry.counter('b', 'No total.'))
  assert.throws(() => registry.histogram('c', 'Falls.', [2, 1]))
  assert.throws(() => registry.counter('d_total', 'D.').add({}, -1))
  assert.throws(() => new Registry('9'))
})

const hasPromtool = spawnSync('promtool', ['--version']).status === 0

test('promtool finds nothing wrong', {
  skip: hasPromtool ? false : 'promtool (Debian: prometheus) is not installed',
}, () => {
  const registry = new Registry('acme_')
  registry.counter('calls_total', 'Calls.', ['route']).add({ route: 'a"\\\n' })
  registry.histogram('call_seconds', 'From call to answer.').observe({}, 1)
  registry.read('gauge', 'age_seconds', 'Age.', () => 1)
  const { status, stdout, stderr } = spawnSync('promtool', ['check', 'metrics'], {
    input: registry.render(),
    encoding: 'utf8',
  })
  assert.equal(status, 0, stdout + stderr)
})
