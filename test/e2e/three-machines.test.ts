/** The guide for operators, run as it is written: every command, on machines with networks, users and homes of their own. */
import assert from 'node:assert/strict'
import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { stepsOf } from '../support/guide.ts'
import { Machines, whyNoMachines } from '../support/machines.ts'

const PROJECT = fileURLToPath(new URL('../../../', import.meta.url))
const guide = readFileSync(join(PROJECT, 'docs/guides/three-machines.md'), 'utf8')
/** What may leave a machine: cards, the record, and signatures of it. */
const PUBLIC = /^((bravo|charlie)\.card|record\.(cbor|alpha|bravo|charlie))$/

/** What nobody else on a machine may read. */
const PRIVATE = /^(pin|softhsm|data|.+\.key)$/

const reason = whyNoMachines()
let machines: Machines | undefined
after(() => machines?.close())

test('three operators set up a cluster by the guide, and it signs', {
  skip: reason ?? false,
}, async () => {
  machines = new Machines(PROJECT, 'deploy/systemd/quorate-node.service', [
    { name: 'alpha', address: '10.77.0.1' },
    { name: 'bravo', address: '10.77.0.2' },
    { name: 'charlie', address: '10.77.0.3' },
  ])
  for (const { machines: names, script } of stepsOf(guide))
    for (const name of names) await machines.run(name, script)

  for (const { file, from, to } of machines.handovers)
    assert.match(file, PUBLIC, `${file} went from ${from} to ${to}`)
  const homes = ['alpha', 'bravo', 'charlie'].map((name) => machines!.homeOf(name))
  for (const home of homes)
    for (const name of readdirSync(home).filter((each) => PRIVATE.test(each)))
      assert.equal(statSync(join(home, name)).mode & 0o077, 0, `${home}/${name}`)
  const pins = homes.map((home) => readFileSync(join(home, 'pin'), 'utf8'))
  assert.equal(new Set(pins).size, 3)
})
