/**
 * A reporter for `node --test` that yields one JSON document at the end: the runner's own counts
 * and every skipped test with its reason. `test.mjs` reads it beside the readable report.
 */
// biome-ignore lint/style/noDefaultExport: how node finds a reporter
export default async function* report(events) {
  const counts = {}
  const skipped = []
  for await (const { type, data } of events) {
    if (
      (type === 'test:pass' || type === 'test:fail') &&
      data.skip !== undefined &&
      data.details?.type !== 'suite'
    )
      skipped.push({
        name: data.name,
        reason: data.skip === true || data.skip === '' ? 'no reason given' : data.skip,
      })
    const count =
      type === 'test:diagnostic' &&
      /^(tests|pass|fail|cancelled|skipped|todo) (\d+)$/.exec(data.message)
    if (count) counts[count[1]] = Number(count[2])
  }
  yield JSON.stringify({ counts, skipped })
}
