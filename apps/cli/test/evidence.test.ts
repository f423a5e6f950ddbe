/** Evidence as people hold it in hands: files, and what the command says to each. */
import assert from 'node:assert/strict'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { cliIn, document, errorOf, type Ran, scratch } from './support/cli.js'

const home = scratch()
const cli = cliIn(home)
const at = (name: string): string => join(home, name)

const refusedWith = (ran: Ran, exit: number, code: string): void => {
  assert.equal(ran.code, exit, ran.err)
  assert.equal(errorOf(ran).code, code)
  assert.equal(ran.out, '')
}

before(async () => {
  document(await cli('up', '--port', '0', '--json'))
  await cli('down')
})
after(async () => {
  await cli('reset', '--confirm', 'reset')
})

test('a file that is no evidence is refused, with or without a running node', async () => {
  writeFileSync(at('broken.cbor'), Uint8Array.of(0xff, 0x00, 0x01))
  writeFileSync(at('empty.cbor'), '')
  for (const file of ['broken.cbor', 'empty.cbor'])
    refusedWith(await cli('evidence', 'verify', at(file), '--json'), 2, 'cli/bad-file')
  refusedWith(await cli('evidence', 'verify', at('none'), '--json'), 4, 'cli/file-not-found')
})

test('the cluster record is that of the home, or the one that is named', async () => {
  writeFileSync(at('some.cbor'), Uint8Array.of(0xa0))
  const verify = ['evidence', 'verify', at('some.cbor'), '--json']
  refusedWith(await cli(...verify, '--home', scratch()), 4, 'cli/no-cluster')
  refusedWith(await cli(...verify, '--cluster', at('some.cbor')), 2, 'cli/bad-file')
  refusedWith(await cli(...verify, '--cluster', at('nowhere')), 4, 'cli/file-not-found')
})

test('the list has what the nodes keep, and says what of it proves nothing', async () => {
  type List = {
    readonly items: readonly { readonly node: string; readonly verdict: object | null }[]
    readonly total: number
  }
  assert.deepEqual(document<List>(await cli('evidence', 'list', '--json')), { items: [], total: 0 })
  const directory = join(home, 'dev', 'node-2', 'evidence')
  mkdirSync(directory, { mode: 0o700 })
  for (const name of ['a.cbor', 'b.cbor', 'notes.txt'])
    writeFileSync(join(directory, name), Uint8Array.of(0xff))
  const { items, total } = document<List>(await cli('evidence', 'list', '--limit', '1', '--json'))
  assert.equal(total, 2)
  assert.deepEqual(
    items.map(({ node, verdict }) => [node, verdict]),
    [['node 2', null]],
  )
  const one = ['evidence', 'list', '--data', join(home, 'dev', 'node-2')]
  assert.match((await cli(...one)).out, /does not verify/)
  refusedWith(await cli(...one.slice(0, 3), at('nowhere'), '--json'), 4, 'cli/file-not-found')
})
