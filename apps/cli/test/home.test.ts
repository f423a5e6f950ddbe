import assert from 'node:assert/strict'
import { chmodSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { homeAt, socketsOf } from '#src/dev/home.js'
import { cliIn, errorOf, scratch } from './support/cli.js'

test('sockets lie beside the data where their paths are short enough, else in a short directory', () => {
  const near = socketsOf(homeAt('/home/a/q'), 3)
  assert.equal(near.directory, undefined)
  assert.equal(near.nodes[1]?.mesh, '/home/a/q/dev/node-2/mesh.sock')
  const far = socketsOf(homeAt(join('/home', 'x'.repeat(90))), 12)
  assert.ok(far.directory !== undefined)
  for (const { api, mesh } of far.nodes) {
    assert.ok(api.startsWith(far.directory) && mesh.startsWith(far.directory))
    assert.ok(mesh.length < 104)
  }
  assert.notEqual(far.directory, socketsOf(homeAt(join('/home', 'y'.repeat(90))), 12).directory)
})

test('a home that others can reach is refused', async () => {
  const home = scratch('home')
  chmodSync(home, 0o755)
  const ran = await cliIn(home)('up', '--json', '--port', '0')
  assert.equal(ran.code, 3)
  assert.equal(errorOf(ran).code, 'platform/directory-mode')
  assert.match(errorOf(ran).message, /mode 755/)
})

test('without a cluster every command that needs one says how to make it', async () => {
  const cli = cliIn(scratch())
  for (const words of [
    ['status'],
    ['down'],
    ['wallet', 'list'],
    ['logs'],
    ['audit', 'verify'],
    ['cluster', 'show'],
  ]) {
    const ran = await cli(...words, '--json')
    assert.equal(ran.code, 4, words.join(' '))
    assert.equal(errorOf(ran).code, 'cli/no-cluster')
    assert.match(errorOf(ran).remedy, /quorate up/)
  }
})

test('XDG_STATE_HOME and HOME name the default', async () => {
  const home = scratch()
  const own = await cliIn(home, { QUORATE_HOME: '', XDG_STATE_HOME: '/xdg' })('status', '--json')
  assert.match(errorOf(own).message, /\/xdg\/quorate/)
  const usual = await cliIn(home, { QUORATE_HOME: '' })('status', '--json')
  assert.match(errorOf(usual).message, new RegExp(`${home}/.local/state/quorate`))
  const flag = await cliIn(home)('status', '--json', '--home', '/elsewhere')
  assert.match(errorOf(flag).message, /\/elsewhere/)
})
