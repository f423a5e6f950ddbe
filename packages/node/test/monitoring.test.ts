/** What is shipped for Prometheus and Grafana speaks of figures that a node has, and of runbooks that are there. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import type { Logger } from '@quorate/base'
import { renderHsmMetrics } from '@quorate/hsm'
import { ManualTime } from '@quorate/platform'
import type { NodeConfig } from '#src/config.js'
import { metricsRoute } from '#src/http/metrics.js'
import { Traffic } from '#src/http/traffic.js'
import { openInstruments } from '#src/instruments.js'
import { type NodeParts, readParts } from '#src/node-metrics.js'

/** The directory of the whole project. */
function projectOf(path: string): string {
  const file = join(path, 'package.json')
  if (existsSync(file) && readFileSync(file, 'utf8').includes('"quorate-workspace"')) return path
  return projectOf(dirname(path))
}
const PROJECT = projectOf(dirname(fileURLToPath(import.meta.url)))
const read = (path: string): string => readFileSync(join(PROJECT, path), 'utf8')

const silent: Logger = { log: () => {}, with: () => silent }

/** Every metric that `/metrics` of a node can show. */
function known(): ReadonlySet<string> {
  const { registry } = openInstruments({} as NodeConfig, silent, () => 1)
  new Traffic(registry)
  const never = () => Promise.reject(new Error('nobody asks'))
  const clock = new ManualTime()
  const asked = { hsmStatus: never, signerStatus: never, look: never }
  metricsRoute({ ...asked, registry, clock, prefix: 'quorate_' })
  readParts(registry, { directory: '/' } as NodeParts)()
  const hsm = [...renderHsmMetrics([]).matchAll(/^# TYPE (\S+)/gm)].map(([, name]) => name!)
  return new Set([...registry.names, ...hsm])
}

const names = (text: string): readonly string[] => [
  ...new Set([...text.matchAll(/\bquorate_[a-z0-9_]+/g)].map(([name]) => name)),
]
const base = (name: string): string => name.replace(/_(bucket|sum|count)$/, '')

test('alerts and dashboard use figures that a node has', () => {
  const all = known()
  for (const file of ['deploy/monitoring/alerts.yml', 'deploy/monitoring/dashboard.json']) {
    const used = names(read(file))
    assert.ok(used.length > 10, file)
    for (const name of used) assert.ok(all.has(name) || all.has(base(name)), `${file}: ${name}`)
  }
})

test('the reference lists all of them', () => {
  const text = read('docs/reference/metrics.md')
  const listed = new Set(
    [...text.matchAll(/^\| `(quorate_[a-z0-9_]+)`/gm)].map(([, name]) => name!),
  )
  assert.deepEqual([...listed].sort(), [...known()].sort())
})

test('every alert names a runbook that is there', () => {
  const alerts = read('deploy/monitoring/alerts.yml')
  const count = [...alerts.matchAll(/^ +- alert: /gm)].length
  const runbooks = [...alerts.matchAll(/^ +runbook: (\S+)$/gm)].map(([, path]) => path!)
  assert.equal(runbooks.length, count)
  for (const path of runbooks) assert.ok(existsSync(join(PROJECT, path)), path)
})

test('the dashboard is whole: every panel has a place, a title and something to ask', () => {
  const { panels, templating } = JSON.parse(read('deploy/monitoring/dashboard.json')) as {
    panels: {
      id: number
      title: string
      gridPos: { x: number; y: number }
      targets: { expr: string }[]
    }[]
    templating: { list: { name: string }[] }
  }
  assert.equal(new Set(panels.map(({ id }) => id)).size, panels.length)
  assert.equal(new Set(panels.map(({ gridPos: { x, y } }) => `${x},${y}`)).size, panels.length)
  const variables = new Set([
    'datasource',
    '__rate_interval',
    ...templating.list.map((v) => v.name),
  ])
  for (const { title, targets } of panels) {
    assert.ok(title !== '' && targets.length > 0)
    for (const { expr } of targets)
      for (const [, name] of expr.matchAll(/\$\{?(\w+)/g))
        assert.ok(variables.has(name!), `${title}: $${name}`)
  }
})

const hasPromtool = spawnSync('promtool', ['--version']).status === 0

test('promtool takes rules and configuration', {
  skip: hasPromtool ? false : 'promtool (Debian: prometheus) is not installed',
}, () => {
  const directory = join(PROJECT, 'deploy/monitoring')
  for (const args of [
    ['check', 'rules', 'alerts.yml'],
    ['check', 'config', 'prometheus.yml'],
  ]) {
    const { status, stdout, stderr } = spawnSync('promtool', args, {
      cwd: directory,
      encoding: 'utf8',
    })
    assert.equal(status, 0, stdout + stderr)
  }
})
