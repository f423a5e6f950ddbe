/** Recovery shares in files. */
import { fromUtf8 } from '@quorate/base'
import { readBytes } from '../files.ts'

/** The shares that the files hold, one a line. @throws cli/file-not-found, cli/bad-file */
export const sharesIn = (files: readonly string[]): readonly string[] =>
  files.flatMap((file) =>
    (fromUtf8(readBytes(file)) ?? '')
      .split('\n')
      .map((line) => line.trim())
      .filter(Boolean),
  )
