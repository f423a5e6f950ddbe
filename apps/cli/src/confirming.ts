/** Acts that nobody can take back: their name is typed, or given in so many words. `--yes` does not exist. */
import { createInterface } from 'node:readline/promises'
import { Fault } from '@quorate/base'
import type { Given } from './command.ts'
import type { Output } from './output.ts'

/** What was typed: the word. @throws cli/not-confirmed unless `--confirm` holds it, or it is typed now */
export async function confirmed(
  given: Given,
  output: Output,
  { word, about }: { readonly word: string; readonly about: string },
): Promise<string> {
  let typed = given.text('confirm')
  if (typed === undefined && process.stdin.isTTY && !output.isJson) {
    const prompt = createInterface({ input: process.stdin, output: process.stderr })
    typed = await prompt.question(`${about} Type ${word} to go on: `)
    prompt.close()
  }
  checkTyped(typed?.trim(), word)
  return word
}

/** @throws cli/not-confirmed unless it is the word */
export function checkTyped(typed: string | undefined, word: string): void {
  if (typed !== word) throw new Fault('cli/not-confirmed', { detail: `the word is ${word}` })
}
