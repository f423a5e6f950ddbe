/**
 * Holds the documentation to what is there: every relative link and anchor in the committed *.md
 * leads somewhere; every `npm run …` names a script; every `quorate …` in a shell block of the
 * guides names a command that `quorate help --json` lists; shell blocks hold nothing else than
 * commands we can check.
 */
import { existsSync, readFileSync } from 'node:fs'
import { dirname, join, relative, resolve } from 'node:path'
import { isMain, root as projectRoot, run } from './run.mjs'
import { filesBelow, readJson } from './workspaces.mjs'

const NPM_BUILT_IN = ['start', 'test', 'ci', 'install']
/** What a reader types before the project is there, or to look at what it printed. */
const ORDINARY = ['git', 'cd', 'curl', 'cat', 'openssl', 'apt-get', 'export', 'until']
/** What operators do on their machines when something is down. */
const OPERATORS = ['sudo', 'date', 'df', 'du', 'timedatectl']

/** Guides whose every block a test runs as it is written: they may use the whole shell. */
const RUN_BY_TESTS = ['docs/guides/three-machines.md', 'docs/guides/secrets.md']

/** What is wrong in the *.md files below `root`; `commands` are the CLI's, e.g. 'wallet create'. */
export function findDocFaults(root, commands) {
  const { scripts } = readJson(join(root, 'package.json'))
  return filesBelow(root, '.md').flatMap((file) => {
    const text = readFileSync(join(root, file), 'utf8')
    return [
      ...linkFaults(root, file, text),
      ...(RUN_BY_TESTS.includes(file) ? [] : shellLines(text)).flatMap((line) =>
        commandFaults(line, scripts, commands),
      ),
    ].map((fault) => `${file}: ${fault}`)
  })
}

/** Headings as GitHub makes anchors of them. */
const anchorsOf = (text) =>
  [...withoutBlocks(text).matchAll(/^#{1,6} +(.+)$/gm)].map(([, heading]) =>
    heading
      .trim()
      .toLowerCase()
      .replace(/[^\p{L}\p{N}\s_-]/gu, '')
      .replace(/\s/g, '-'),
  )

const withoutBlocks = (text) => text.replace(/^```[\s\S]*?^```/gm, '')

function linkFaults(root, file, text) {
  const links = [...withoutBlocks(text).matchAll(/\]\(([^)\s]+)\)/g)].map(([, target]) => target)
  return links.flatMap((link) => {
    if (/^[a-z]+:/.test(link)) return []
    const [path, anchor] = link.split('#')
    const target = path === '' ? join(root, file) : resolve(root, dirname(file), path)
    if (relative(root, target).startsWith('..'))
      return [`the link ${link} leads out of the project`]
    if (!existsSync(target)) return [`the link ${link} leads nowhere`]
    if (anchor === undefined || !target.endsWith('.md')) return []
    return anchorsOf(readFileSync(target, 'utf8')).includes(anchor)
      ? []
      : [`the link ${link} names no heading`]
  })
}

/** The commands in ```sh blocks, continuation lines joined, without comments. */
function shellLines(text) {
  return [...text.matchAll(/^```sh\n([\s\S]*?)^```/gm)].flatMap(([, block]) =>
    block
      .replace(/\\\n\s*/g, '')
      .split('\n')
      .map((line) => line.replace(/(^|\s)#.*$/, '').trim())
      .filter((line) => line !== ''),
  )
}

function commandFaults(line, scripts, commands) {
  const [program, ...words] = line.split(/\s+/)
  if ([...ORDINARY, ...OPERATORS].includes(program)) return []
  if (program === 'npm' && words[0] === 'run')
    return words[1] in scripts ? [] : [`\`${line}\`: there is no script ${words[1]}`]
  if (program === 'npm')
    return NPM_BUILT_IN.includes(words[0]) ? [] : [`\`${line}\` is not checked by anything`]
  const rest =
    program === 'npx' && words[0] === 'quorate'
      ? words.slice(1)
      : program === 'quorate'
        ? words
        : undefined
  if (rest === undefined) return [`\`${line}\` is not checked by anything`]
  const isKnown = [1, 2, 3].some((count) => commands.includes(rest.slice(0, count).join(' ')))
  return isKnown ? [] : [`\`${line}\`: there is no such command`]
}

if (isMain(import.meta)) {
  const { code, output } = await run(
    process.execPath,
    ['apps/cli/bin/quorate.mjs', 'help', '--json'],
    { isQuiet: true },
  )
  const faults =
    code === 0
      ? findDocFaults(
          projectRoot,
          JSON.parse(output).commands.map(({ name }) => name),
        )
      : [`quorate help --json failed: ${output.trim()}`]
  for (const fault of faults) process.stderr.write(`${fault}\n`)
  process.exitCode = faults.length > 0 ? 1 : 0
}
