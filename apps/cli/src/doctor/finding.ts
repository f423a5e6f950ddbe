export type Finding = {
  readonly level: 'ok' | 'warning' | 'error'
  /** What was looked at, e.g. `node version`. */
  readonly what: string
  readonly detail: string
  /** What to do about it; absent where all is well. */
  readonly fix?: string
}

export const ok = (what: string, detail: string): Finding => ({ level: 'ok', what, detail })
export const warning = (what: string, detail: string, fix: string): Finding => ({
  level: 'warning',
  what,
  detail,
  fix,
})
export const error = (what: string, detail: string, fix: string): Finding => ({
  level: 'error',
  what,
  detail,
  fix,
})
