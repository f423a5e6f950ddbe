/** The Memo program: a text that everybody can read, signed by whoever is named. */
import { fromUtf8 } from '@quorate/base'
import { type Effect, effect, type ProgramReader } from '../effect.ts'

const MAX_MEMO = 200

/** The first `most` units of `text` in quotes, on one line, without anything that a screen would act upon. */
export const quoted = (text: string, most: number): string => {
  const shown = text
    .slice(0, most)
    .replace(/[\p{C}\p{Zl}\p{Zp}"\\]/gu, (each) => `\\u{${each.codePointAt(0)!.toString(16)}}`)
  return `"${shown}"${text.length > most ? `, and ${text.length - most} more characters` : ''}`
}

/** The reader of both versions of the program. */
export const readMemo: ProgramReader = ({ accounts, data }): Effect | undefined => {
  const text = fromUtf8(data)
  if (text === undefined || accounts.some(({ isSigner }) => !isSigner)) return undefined
  return effect({ notes: [`with the memo ${quoted(text, MAX_MEMO)}, for everybody to read`] })
}
