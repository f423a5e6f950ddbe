/**
 * `npm test [-- filter… --flags…]`: sets up what is missing and runs every test with `node --test`.
 * A filter keeps the files whose path contains it; flags go to node as they are. `--soak` adds the
 * long runs. What could not be tested here is said at the end, with the reason, and what failed.
 */
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { root, run } from './run.mjs'
import { setUp } from './setup.mjs'
import { filesBelow, workspacesOf } from './workspaces.mjs'

/**
 * What tests use besides Node: the Debian packages that bring it, and for each file that shows that
 * it is there its usual places. A name without a slash is looked for in PATH.
 */
const PARTS = {
  openssl: { packages: ['openssl'], files: [['openssl']] },
  ...partsOf('packages/hsm/test/modules'),
  ...partsOf('packages/platform/test'),
}
/** Their tests start whole clusters, which answer in time only where they have the machine to themselves … */
const ALONE = ['apps/', 'test/']
/** … but for these: most of them start none. */
const BESIDE = ['apps/cli/dist/test/hsm', 'apps/cli/dist/test/kms', 'test/dist/attack/']
/** So many files that fail are run again, to tell what is broken from what is unsteady; more are broken. */
const MOST_AGAIN = 3
const AGAIN = 2
const VECTORS = join(root, '../shared/vectors')

const args = process.argv.slice(2)
const isSoak = args.includes('--soak')
const flags = args.filter((arg) => arg.startsWith('-') && arg !== '--soak')
const filters = args.filter((arg) => !arg.startsWith('-'))

await setUp()
const absent = [...(await missingParts()), ...missingVectors()]
const files = testFiles().filter(
  (file) => filters.length === 0 || filters.some((filter) => file.includes(filter)),
)
if (files.length === 0) {
  process.stderr.write(`no test file matches ${filters.join(' ')}\n`)
  process.exit(2)
}
process.exitCode = await runTests(files)

function partsOf(directory) {
  return JSON.parse(readFileSync(join(root, directory, 'debian-packages.json'), 'utf8'))
}

function testFiles() {
  const places = workspacesOf(root)
    .map(({ dir }) => `${dir}/dist/test`)
    .concat('test/dist', 'tools/test')
  const endings = ['.test.js', '.test.mjs', ...(isSoak ? ['.soak.js'] : [])]
  return places.flatMap((place) =>
    filesBelow(join(root, place), ...endings).map((file) => `${place}/${file}`),
  )
}

async function missingParts() {
  const absentNow = () => Object.entries(PARTS).filter(([, part]) => !isThere(part))
  const packages = absentNow().flatMap(([, part]) => part.packages)
  if (packages.length > 0) await installDebianPackages(packages)
  return absentNow().map(
    ([name, part]) => `${name} (Debian: apt-get install ${part.packages.join(' ')})`,
  )
}

function isThere({ files }) {
  const inPath = (process.env.PATH ?? '').split(delimiter)
  const exists = (place) =>
    place.includes('/') ? existsSync(place) : inPath.some((dir) => existsSync(join(dir, place)))
  return files.every((places) => places.some(exists))
}

async function installDebianPackages(names) {
  if (process.getuid?.() !== 0 || !existsSync('/usr/bin/apt-get')) return
  process.stderr.write(`installing the Debian packages ${names.join(' ')} …\n`)
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' }
  const install = () =>
    run('apt-get', ['install', '-y', '--no-install-recommends', ...names], { isQuiet: true, env })
  if ((await install()).code === 0) return
  await run('apt-get', ['update'], { isQuiet: true, env })
  await install()
}

function missingVectors() {
  return existsSync(VECTORS) ? [] : ['the official test vectors (../shared/vectors)']
}

async function runTests(paths) {
  const isIn = (places) => (path) => places.some((place) => path.startsWith(place))
  const isAlone = (path) => isIn(ALONE)(path) && !isIn(BESIDE)(path)
  const runs = [
    { files: paths.filter((path) => !isAlone(path)), atOnce: 2 },
    { files: paths.filter(isAlone), atOnce: 1 },
  ].filter(({ files }) => files.length > 0)
  const reports = []
  let worst = 0
  for (const each of runs) {
    const { code, report } = await runFiles(each)
    reports.push(report)
    worst = Math.max(worst, code)
  }
  const failing = [...new Set(reports.flatMap(({ failed }) => failed.map(({ file }) => file)))]
  const unsteady = failing.length <= MOST_AGAIN ? await thoseUnsteady(failing) : []
  summarise(reports, unsteady)
  return unsteady.length === failing.length && failing.length > 0 ? 0 : worst
}

/**
 * Files that pass again and again on their own: they failed by chance or under load. That is a defect too, of the
 * test or of what it tests, and is told with its error; it does not fail the run.
 */
async function thoseUnsteady(files) {
  const unsteady = []
  for (const file of files) {
    if (file === undefined) continue
    process.stdout.write(`\nFailed, so run again alone, ${AGAIN} times: ${file}\n`)
    let passed = 0
    while (passed < AGAIN && (await runFiles({ files: [file], atOnce: 1 })).code === 0) passed++
    if (passed === AGAIN) unsteady.push(file)
  }
  return unsteady
}

async function runFiles({ files, atOnce }) {
  const scratch = mkdtempSync(join(tmpdir(), 'quorate-test-'))
  const reportFile = join(scratch, 'report.json')
  const reporters = [
    ['spec', 'stdout'],
    [`${root}/tools/test-report.mjs`, reportFile],
  ].flatMap(([reporter, to]) => [
    `--test-reporter=${reporter}`,
    `--test-reporter-destination=${to}`,
  ])
  try {
    const { code } = await run(process.execPath, [
      '--test',
      `--test-concurrency=${atOnce}`,
      ...reporters,
      ...flags,
      ...files,
    ])
    return { code, report: JSON.parse(readFileSync(reportFile, 'utf8')) }
  } finally {
    rmSync(scratch, { recursive: true, force: true })
  }
}

/** The last line is the count, whatever the runner printed before it. */
function summarise(reports, unsteady) {
  const all = (what) => reports.flatMap((report) => report[what])
  const count = (...names) =>
    reports.reduce((sum, { counts }) => names.reduce((s, name) => s + counts[name], sum), 0)
  const lines = ['']
  if (absent.length > 0)
    lines.push('Not here, so not tested against:', ...absent.map((what) => `  ${what}`))
  const skipped = all('skipped')
  if (skipped.length > 0)
    lines.push('Skipped:', ...skipped.map(({ name, reason }) => `  ${name}: ${reason}`))
  let told = ''
  for (const { name, file, error } of all('failed')) {
    lines.push(`${unsteady.includes(file) ? 'Unsteady' : 'Failed'}: ${name}`, `  ${file ?? ''}`)
    const text = error.map((line) => `    ${line}`).join('\n')
    lines.push(text === told ? '    (the same error)' : text)
    told = text
  }
  const recovered = unsteady
    .flatMap((file) => reports.map(({ failures }) => failures[file] ?? 0))
    .reduce((sum, each) => sum + each, 0)
  const failed = count('fail', 'cancelled') - recovered
  lines.push(
    `${count('pass') + recovered} passed, ${failed} failed, ${count('skipped')} skipped${
      unsteady.length > 0 ? `, ${unsteady.length} files unsteady` : ''
    }`,
  )
  process.stdout.write(`${lines.join('\n')}\n`)
}
