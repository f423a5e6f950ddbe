/** The log files of the development nodes. */
import { closeSync, existsSync, openSync, readSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { Fault } from '@quorate/base'
import { integerOf, type Run } from '../command.ts'
import { homeOf } from '../dev/home.ts'
import { readState } from '../dev/state.ts'

const POLL_MS = 250
const MAX_BYTES = 1 << 20

export const logs: Run = async (given, output) => {
  const { nodes } = readState(homeOf(given))
  const [wanted] = given.arguments
  const index = wanted === undefined ? undefined : integerOf('NODE', wanted, 1, 50)
  const chosen = nodes.filter((node) => index === undefined || node.index === index)
  if (chosen.length === 0)
    throw new Fault('cli/unknown-node', { detail: `there are ${nodes.length}` })
  const files = chosen.map((node) => ({ ...node, path: join(node.directory, 'node.log') }))
  const limit = given.integer('lines', 0, 100_000) ?? 30
  const shown = files.map(({ index: number, path }) => {
    const end = sizeOf(path)
    const lines = linesOf(readPart(path, Math.max(0, end - MAX_BYTES), end))
    return { index: number, path, end, lines: limit === 0 ? [] : lines.slice(-limit) }
  })
  const prefix = (number: number): string => (shown.length === 1 ? '' : `node ${number}  `)
  output.result(
    shown.map(({ index: number, path, lines }) => ({ index: number, path, lines })),
    () => shown.flatMap(({ index: number, lines }) => lines.map((line) => prefix(number) + line)),
  )
  if (!given.flag('follow') || output.isJson) return
  const places = shown.map(({ index: number, path, end }) => ({ number, path, at: end, rest: '' }))
  for (;;) {
    for (const place of places) {
      const end = sizeOf(place.path)
      // A shorter file is a new one.
      if (end < place.at) place.at = 0
      if (end === place.at) continue
      const text = place.rest + readPart(place.path, place.at, end)
      const cut = text.lastIndexOf('\n') + 1
      output.lines(linesOf(text.slice(0, cut)).map((line) => prefix(place.number) + line))
      place.rest = text.slice(cut)
      place.at = end
    }
    await sleep(POLL_MS)
  }
}

const sizeOf = (path: string): number => (existsSync(path) ? statSync(path).size : 0)
const linesOf = (text: string): readonly string[] => text.split('\n').filter((line) => line !== '')

function readPart(path: string, from: number, to: number): string {
  if (to <= from) return ''
  const file = openSync(path, 'r')
  try {
    const buffer = Buffer.alloc(to - from)
    const length = readSync(file, buffer, 0, buffer.length, from)
    return buffer.toString('utf8', 0, length)
  } finally {
    closeSync(file)
  }
}
