/**
 * Module hooks for `without-guard.ts`, run by Node in the loader's thread. A module whose address
 * carries `?without=…` passes that on to every module of ours that it imports, so one import yields
 * a second copy of them all beside the first; in that copy the guards named are cut out.
 */
import type { LoadHook, ResolveHook } from 'node:module'
import type { Cut } from './without-guard.ts'

const MARK = 'without'
const markOf = (url: string | undefined): string | null =>
  url === undefined || !url.startsWith('file:') ? null : new URL(url).searchParams.get(MARK)

export const resolve: ResolveHook = async (specifier, context, next) => {
  const found = await next(specifier, context)
  const mark = markOf(context.parentURL)
  const isOurs = found.url.startsWith('file:') && !found.url.includes('/node_modules/')
  if (mark === null || !isOurs || markOf(found.url) !== null) return found
  return { ...found, url: `${found.url}?${MARK}=${mark}` }
}

export const load: LoadHook = async (url, context, next) => {
  const found = await next(url, context)
  const mark = markOf(url)
  if (mark === null) return found
  const path = new URL(url).pathname
  const cuts = (JSON.parse(Buffer.from(mark, 'base64url').toString()) as Cut[]).filter(({ file }) =>
    path.endsWith(`/packages/${file}`),
  )
  const code = Buffer.from(found.source as Uint8Array).toString()
  return { ...found, source: cuts.reduce(cutOut, code) }
}

/** The code without the guard. Throws unless the guard is there exactly once: it may have moved. */
function cutOut(code: string, { file, guard, instead }: Cut): string {
  const pieces = code.split(guard)
  if (pieces.length !== 2) throw new Error(`${file} holds ${pieces.length - 1} times: ${guard}`)
  return pieces.join(instead)
}
