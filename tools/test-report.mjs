/**
 * A reporter for `node --test` that yields one JSON document at the end: the runner's own counts,
 * every skipped test with its reason, every failed one with its file and the beginning of its error,
 * and how many of a file's tests failed. `test.mjs` reads it beside the readable report.
 */
const ERROR_LINES = 12

// biome-ignore lint/style/noDefaultExport: how node finds a reporter
export default async function* report(events) {
  const counts = {}
  const skipped = []
  const failed = []
  const failures = {}
  for await (const { type, data } of events) {
    if (type === 'test:pass' || type === 'test:fail') {
      if (data.skip !== undefined && data.details?.type !== 'suite')
        skipped.push({ name: data.name, reason: reasonOf(data.skip) })
      if (type === 'test:fail') {
        const { error, type: kind } = data.details
        if (kind !== 'suite') failures[data.file] = (failures[data.file] ?? 0) + 1
        // What fails only because something in it failed is told by that.
        if (error?.failureType !== 'subtestsFailed')
          failed.push({ name: data.name, file: data.file, error: errorOf(error) })
      }
    }
    const count =
      type === 'test:diagnostic' &&
      /^(tests|pass|fail|cancelled|skipped|todo) (\d+)$/.exec(data.message)
    if (count) counts[count[1]] = Number(count[2])
  }
  yield JSON.stringify({ counts, skipped, failed, failures })
}

function reasonOf(skip) {
  return skip === true || skip === '' ? 'no reason given' : skip
}

function errorOf(error) {
  const cause = error?.cause ?? error
  return String(cause?.stack ?? cause)
    .split('\n')
    .slice(0, ERROR_LINES)
}
