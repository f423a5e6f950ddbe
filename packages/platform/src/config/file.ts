/** Reads quorate.yaml: nested maps of plain values, each with the line it stands in. */
import { Fault } from '@quorate/base'
import { isMap, isScalar, isSeq, LineCounter, type Node, parseDocument } from 'yaml'
import { nearest } from './settings.ts'

export type FileValue = {
  readonly texts: readonly string[]
  readonly isList: boolean
  readonly line: number
}

/**
 * The values of the file by dotted key. `others`: keys by names that other programs use at the top of
 * their files.
 * @throws platform/bad-config-file, platform/unknown-setting with line and nearest name,
 *   platform/settings-disagree where two names of one key have different values
 */
export function parseConfigFile(
  yaml: string,
  name: string,
  known: readonly string[],
  others: ReadonlyMap<string, string> = new Map(),
): ReadonlyMap<string, FileValue> {
  const lines = new LineCounter()
  const lineOf = (node: Node | null | undefined): number =>
    lines.linePos(node?.range?.[0] ?? 0).line
  const fail = (line: number, detail: string): never => {
    throw new Fault('platform/bad-config-file', { detail: `${name}:${line}: ${detail}` })
  }
  const document = parseDocument(yaml, {
    lineCounter: lines,
    schema: 'core',
    uniqueKeys: true,
    prettyErrors: false,
  })
  const [error] = document.errors
  if (error !== undefined)
    fail(lines.linePos(error.pos[0]).line, error.code.toLowerCase().replaceAll('_', ' '))
  const values = new Map<string, FileValue>()
  // As written, not as YAML would read it: 0x10 or 1_000 are then refused by the type of the setting.
  const textOf = (node: unknown, line: number): string =>
    isScalar(node) && node.anchor === undefined && node.value !== null
      ? (node.source ?? fail(line, 'expected a plain value'))
      : fail(line, 'expected a plain value')

  const walk = (node: Node | null, prefix: string): void => {
    if (node === null && prefix === '') return
    if (!isMap(node))
      return void fail(
        lineOf(node),
        `expected settings under ${prefix === '' ? 'the top' : prefix}`,
      )
    for (const pair of node.items) {
      const keyNode = pair.key as Node
      const line = lineOf(keyNode)
      const written = textOf(keyNode, line)
      const key = prefix === '' ? (others.get(written) ?? written) : `${prefix}.${written}`
      const value = pair.value as Node | null
      const isSection = known.some((each) => each.startsWith(`${key}.`))
      // A name may be both: `alerting: true`, or a section of its own.
      if (known.includes(key) && !(isSection && isMap(value))) {
        const isList = isSeq(value)
        const texts = isList ? value.items.map((item) => textOf(item, line)) : [textOf(value, line)]
        const before = values.get(key)
        if (before !== undefined && JSON.stringify(before.texts) !== JSON.stringify(texts))
          throw new Fault('platform/settings-disagree', {
            detail: `${key}: ${name}:${before.line} and ${name}:${line}`,
          })
        values.set(key, { texts, isList, line })
      } else if (isSection) walk(value, key)
      else {
        const near = nearest(key, [...known, ...others.keys()])
        const hint = near === undefined ? '' : `; did you mean ${near}?`
        throw new Fault('platform/unknown-setting', { detail: `${name}:${line}: ${key}${hint}` })
      }
    }
  }
  walk(document.contents, '')
  return values
}
