/** Module hooks that write down which clients of services are asked for; with QUORATE_MISSING they are not there. */
import { writeSync } from 'node:fs'
import type { ResolveHook } from 'node:module'

const CLIENT = /^(@aws-sdk|@azure|@google-cloud)\/|^google-gax/

export const resolve: ResolveHook = (specifier, context, next) => {
  if (!CLIENT.test(specifier)) return next(specifier, context)
  writeSync(1, `${specifier}\n`)
  if (process.env['QUORATE_MISSING'] === undefined) return next(specifier, context)
  throw Object.assign(new Error('not there'), { code: 'ERR_MODULE_NOT_FOUND' })
}
