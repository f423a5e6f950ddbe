/** What the secret of that line holds, as long as nothing else was written. */
export const secretValue = (line: number): string =>
  `postgres://app:${line.toString(36)}-password@db.internal:5432/app`
