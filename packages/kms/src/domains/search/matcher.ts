/** What a search looks for: the beginning or any part of a name, a tag or a comment. Pure. */
import type { Label } from '../secrets/model.ts'

export const SEARCH_FIELDS = ['name', 'tag', 'comment'] as const
export type SearchField = (typeof SEARCH_FIELDS)[number]

export type SearchTerms = {
  readonly text: string
  readonly fields: readonly SearchField[]
  /** Whether the text must stand at the beginning. */
  readonly isPrefix: boolean
}

/** The fields of a label in which the text is found; case does not count. */
export function matcher({
  text,
  fields,
  isPrefix,
}: SearchTerms): (label: Label) => readonly SearchField[] {
  const wanted = folded(text)
  const has = (value: string): boolean =>
    isPrefix ? folded(value).startsWith(wanted) : folded(value).includes(wanted)
  const test: { readonly [F in SearchField]: (label: Label) => boolean } = {
    name: ({ name }) => has(name),
    tag: ({ tags }) => tags.some(has),
    comment: ({ comment }) => has(comment),
  }
  return (label) => fields.filter((field) => test[field](label))
}

/** As it is compared: upper and lower case are one, and so are the forms of one character. */
const folded = (text: string): string => text.normalize('NFKC').toLowerCase()
