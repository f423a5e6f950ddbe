/** Runbooks are read when something is wrong: every command, link, error code and metric in them is one that there is. */
import assert from 'node:assert/strict'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { isFaultCode } from '@quorate/base'
import { type Command, parse } from '#src/command.js'
import { COMMANDS } from '#src/commands/index.js'

function projectOf(path: string): string {
  const file = join(path, 'package.json')
  if (existsSync(file) && readFileSync(file, 'utf8').includes('"quorate-workspace"')) return path
  return projectOf(dirname(path))
}
const PROJECT = projectOf(dirname(fileURLToPath(import.meta.url)))
const FILES = ['docs/runbooks', 'docs/guides'].flatMap((directory) =>
  readdirSync(join(PROJECT, directory))
    .filter((name) => name.endsWith('.md'))
    .map((name) => join(directory, name)),
)
const read = (file: string): string => readFileSync(join(PROJECT, file), 'utf8')

/** Programs of the system that runbooks use, with the first word that each may have. */
const OTHERS: { readonly [program: string]: readonly string[] | undefined } = {
  systemctl: ['status', 'start', 'stop', 'restart', 'enable'],
  journalctl: ['-u', '--disk-usage', '--vacuum-size=200M'],
  'apt-get': ['install'],
}
const PLAIN = /^(df|du|date|timedatectl|sleep|export|umask|openssl|scp|cat|grep|\[)$/

/** The words of a command line, with quotes taken off; and the signs between commands as words of their own. */
function wordsOf(line: string): readonly string[] {
  const words: string[] = []
  const token = /\s*(?:(\|\||&&|[|;])|((?:"[^"]*"|'[^']*'|[^\s"'|;&])+))/gy
  for (const [, sign, word] of line.matchAll(token))
    words.push(
      sign ?? word!.replace(/"([^"]*)"|'([^']*)'/g, (_, a?: string, b?: string) => a ?? b ?? ''),
    )
  return words
}

/** The commands of a shell block, each as its words. */
function commandsOf(block: string): readonly (readonly string[])[] {
  const variables = new Map<string, string>()
  const commands: string[][] = []
  const plain = block.replace(/\\\n\s*/g, ' ').replace(/<<'END'\n[\s\S]*?^END$/gm, '')
  for (const line of plain.split('\n').filter((each) => each.trim() !== '')) {
    const given = /^export (\w+)="([^"]*)"$/.exec(line.trim())
    if (given !== null) variables.set(given[1]!, given[2]!)
    let current: string[] = []
    const flush = (): void => {
      const first = current.findIndex((word) => !/^(until|do|done|!|sudo)$/.test(word))
      if (first !== -1) commands.push(current.slice(first))
      current = []
    }
    const known = line.replace(/\$(\w+)/g, (all, name: string) => variables.get(name) ?? all)
    for (const word of wordsOf(known)) {
      if (/^(\|\||&&|[|;])$/.test(word)) flush()
      else current.push(word)
    }
    flush()
  }
  return commands
}

/** What stands before a redirection. */
const given = (words: readonly string[]): readonly string[] => {
  const at = words.indexOf('>')
  return at === -1 ? words : words.slice(0, at)
}

async function check(words: readonly string[], isRunbook = true): Promise<void> {
  const [program = '', ...rest] = words
  if (program === 'quorate') {
    const fits = ({ name }: Command): boolean => `${rest.join(' ')} `.startsWith(`${name} `)
    const [command] = COMMANDS.filter(fits).sort((a, b) => b.name.length - a.name.length)
    assert.ok(command !== undefined, `no such command: ${words.join(' ')}`)
    await parse(command, given(rest.slice(command.name.split(' ').length)))
    return
  }
  // A guide may use what it likes.
  if (!isRunbook) return
  if (OTHERS[program] !== undefined)
    assert.ok(OTHERS[program].includes(rest[0] ?? ''), words.join(' '))
  else assert.match(program, PLAIN, words.join(' '))
}

/** What `export AT=` stands for in all runbooks. */
const PREAMBLE = /^export AT="[^"]*"$/m.exec(read('docs/runbooks/README.md'))![0]

test('every command in runbooks and guides is one that there is, with options that it takes', async () => {
  let checked = 0
  for (const file of FILES) {
    const blocks = [...read(file).matchAll(/^```sh\n([\s\S]*?)^```$/gm)].map(([, block]) => block)
    for (const words of commandsOf([PREAMBLE, ...blocks].join('\n'))) {
      await check(words, file.startsWith('docs/runbooks')).catch((error: unknown) => {
        throw new Error(`${file}: ${words.join(' ')}`, { cause: error })
      })
      checked++
    }
  }
  assert.ok(checked > 60, String(checked))
})

test('the check itself finds what is wrong', async () => {
  for (const wrong of [
    'quorate wallet refrehs till',
    'quorate status --no-such-option',
    'quorate wallet refresh',
    'sudo systemctl explode quorate-node',
    'curl http://example',
  ])
    for (const words of commandsOf(wrong))
      await assert.rejects(check(words), Error, `it passed: ${wrong}`)
})

test('every link leads to a file, and every error code and metric is one that there is', () => {
  const metrics = read('docs/reference/metrics.md')
  const packages = new Set(readdirSync(join(PROJECT, 'packages')))
  for (const file of FILES) {
    const text = read(file)
    for (const [, path = ''] of text.matchAll(/\]\((?!https?:)([^)#]+)[^)]*\)/g))
      assert.ok(existsSync(join(PROJECT, dirname(file), path)), `${file}: ${path}`)
    for (const [, code = ''] of text.matchAll(/`([a-z]+\/[a-z-]+)`/g))
      if (packages.has(code.split('/')[0]!)) assert.ok(isFaultCode(code), `${file}: ${code}`)
    for (const [name] of text.matchAll(/\bquorate_[a-z0-9_]+/g))
      assert.ok(metrics.includes(`\`${name}\``), `${file}: ${name}`)
  }
})

test('every runbook is in the list', () => {
  const index = read('docs/runbooks/README.md')
  for (const name of readdirSync(join(PROJECT, 'docs/runbooks')))
    if (name !== 'README.md') assert.ok(index.includes(`(${name})`), name)
})
