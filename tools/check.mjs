/**
 * `npm run check [-- name…]`: everything that is checked without running the product. Each check
 * prints its name and time, and a failed one its tool's output; all run, whichever fail.
 */
import { bin, run } from './run.mjs'
import { installPackages, setUp } from './setup.mjs'

/** Tools that write committed files; each knows `--check`. */
const GENERATORS = ['errors-doc', 'transactions-doc', 'failpoints', 'cggmp24-vectors']

/** The build stands first because the type-aware lint reads it. */
const CHECKS = [
  ['build', bin('tsc'), ['-b']],
  ['format', bin('biome'), ['check', '--linter-enabled=false', '.']],
  ['lint (biome)', bin('biome'), ['lint', '--error-on-warnings', '.']],
  ['lint (oxlint, type-aware)', bin('oxlint'), ['--type-aware', '--deny-warnings']],
  ['layers', process.execPath, ['tools/check-layers.mjs']],
  ['browser', process.execPath, ['tools/check-browser.mjs']],
  ['unused code', bin('knip'), ['--no-progress', '--no-config-hints']],
  ['docs', process.execPath, ['tools/check-docs.mjs']],
  ...GENERATORS.map((name) => [
    `generated: ${name}`,
    process.execPath,
    [`tools/${name}.mjs`, '--check'],
  ]),
]

if (process.argv.includes('--write')) {
  await setUp()
  for (const name of GENERATORS) await run(process.execPath, [`tools/${name}.mjs`])
} else process.exitCode = await check(process.argv.slice(2))

async function check(names) {
  await installPackages()
  const chosen = CHECKS.filter(
    ([title]) => names.length === 0 || names.some((name) => title.includes(name)),
  )
  let failed = 0
  for (const [title, command, args] of chosen) {
    const started = performance.now()
    const { code, output } = await run(command, args, { isQuiet: true })
    const seconds = ((performance.now() - started) / 1000).toFixed(1)
    process.stdout.write(`${code === 0 ? 'ok    ' : 'FAILED'} ${title} (${seconds} s)\n`)
    if (code === 0) continue
    failed++
    process.stdout.write(`${output.trimEnd()}\n\n`)
  }
  process.stdout.write(`${chosen.length - failed} passed, ${failed} failed\n`)
  return failed === 0 ? 0 : 1
}
