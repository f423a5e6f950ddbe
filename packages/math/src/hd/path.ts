/**
 * Derivation paths of public keys (BIP-32 notation): `m`, `m/0/5`. Only the indices that a public
 * key can follow exist here; hardened ones need the whole private key, which nobody has.
 */
import { Fault } from '@quorate/base'

/** Hardened indices begin here. */
const HARDENED = 0x80000000
/** BIP-32 stores the depth of a key in one byte. */
const MAX_DEPTH = 255
const MAX_PATH_LENGTH = 4096

/**
 * The indices of `text`, from the parent down.
 * @throws math/hardened-path for an index marked with ' or h, or one of 2^31 and more
 * @throws math/bad-path for whatever is not written as `formatPath` writes it
 */
export function parsePath(text: string): readonly number[] {
  const [root, ...steps] = text.length > MAX_PATH_LENGTH ? [] : text.split('/')
  if (root !== 'm') throw new Fault('math/bad-path', { detail: 'it does not begin with m' })
  const path = steps.map((step) => {
    if (!/^(0|[1-9][0-9]{0,9})['hH]?$/.test(step))
      throw new Fault('math/bad-path', { detail: 'a step that is no number' })
    return /^[0-9]+$/.test(step) ? Number(step) : HARDENED
  })
  checkPath(path)
  return path
}

/** `m/0/5` for `[0, 5]`, and `m` for no step. @throws math/bad-path, math/hardened-path */
export function formatPath(path: readonly number[]): string {
  checkPath(path)
  return ['m', ...path].join('/')
}

/** @throws math/bad-path, math/hardened-path */
export function checkPath(path: readonly number[]): void {
  if (path.length > MAX_DEPTH)
    throw new Fault('math/bad-path', { detail: `more than ${MAX_DEPTH} steps` })
  for (const index of path) {
    if (!Number.isSafeInteger(index) || index < 0)
      throw new Fault('math/bad-path', { detail: 'an index that is no whole number' })
    if (index >= HARDENED) throw new Fault('math/hardened-path')
  }
}
