/** Policies as people write them: YAML or JSON, every mistake with the line and column it stands in. */
import { Fault, fromUtf8 } from '@quorate/base'
import { type PlainProblem, type Policy, problemText, readPolicy } from '@quorate/policy'
import { type Document, isMap, isNode, isPair, isScalar, LineCounter, parseDocument } from 'yaml'
import { readBytes } from './files.ts'

export type PolicyFinding = {
  readonly line: number
  readonly column: number
  /** What is wrong, with the nearest name where one was probably meant. */
  readonly message: string
}

/** The policy in a file, or all that is wrong with it. @throws cli/file-not-found, cli/bad-file */
export function lookIntoPolicy(
  path: string,
): { readonly policy: Policy } | { readonly findings: readonly PolicyFinding[] } {
  const text = fromUtf8(readBytes(path))
  if (text === undefined) throw new Fault('cli/bad-file', { detail: `${path} is not text` })
  return lookIntoText(text)
}

/** The same for the text itself. */
export function lookIntoText(
  text: string,
): { readonly policy: Policy } | { readonly findings: readonly PolicyFinding[] } {
  const lines = new LineCounter()
  const document = parseDocument(text, {
    lineCounter: lines,
    schema: 'core',
    uniqueKeys: true,
    prettyErrors: false,
    // Amounts go beyond what a number holds.
    intAsBigInt: true,
  })
  const at = (offset: number, message: string): PolicyFinding => {
    const { line, col } = lines.linePos(offset)
    return { line, column: col, message }
  }
  if (document.errors.length > 0)
    return {
      findings: document.errors.map(({ pos, code }) =>
        at(pos[0], code.toLowerCase().replaceAll('_', ' ')),
      ),
    }
  const read = readPolicy(exact(document.toJS({ maxAliasCount: 100 })))
  return 'policy' in read
    ? read
    : {
        findings: read.problems.map((problem) =>
          at(offsetOf(document, problem), problemText(problem)),
        ),
      }
}

/** Integers as numbers where those hold them, else as decimal text. */
function exact(value: unknown): unknown {
  if (typeof value === 'bigint')
    return value <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(value) : String(value)
  if (Array.isArray(value)) return value.map(exact)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, exact(each)]))
}

/** Where the problem stands: at the key, where there is one, for it is the key that people look for. */
function offsetOf(document: Document, { path }: PlainProblem): number {
  for (let depth = path.length; depth > 0; depth--) {
    const parent = document.getIn(path.slice(0, depth - 1), true)
    const step = path[depth - 1]
    if (isMap(parent)) {
      const pair = parent.items.find(
        (each) => isPair(each) && isScalar(each.key) && each.key.value === step,
      )
      if (isNode(pair?.key)) return pair.key.range?.[0] ?? 0
    }
    const node = document.getIn(path.slice(0, depth), true)
    if (isNode(node)) return node.range?.[0] ?? 0
  }
  return document.contents?.range?.[0] ?? 0
}

/** The policy in a file. @throws policy/malformed naming the first mistake, cli/file-not-found, cli/bad-file */
export function readPolicyFile(path: string): Policy {
  const read = lookIntoPolicy(path)
  if ('policy' in read) return read.policy
  throw new Fault('policy/malformed', { detail: findingText(path, read.findings[0]!) })
}

/** `policy.yaml:3:5: …` */
export const findingText = (path: string, { line, column, message }: PolicyFinding): string =>
  `${path}:${line}:${column}: ${message}`
