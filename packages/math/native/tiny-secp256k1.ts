/**
 * secp256k1 by libsecp256k1 compiled to WebAssembly, through the optional package `tiny-secp256k1`.
 * Its multiplication of the generator is made for secrets. That of other points is variable-time:
 * a secret scalar is first split into two summands, uniform each and fresh for every call, so that
 * the time of neither multiplication tells anything of the secret by itself.
 */
import { webcrypto } from 'node:crypto'
import { wipe } from '@quorate/base'
import type { PointBackend } from '../src/index.ts'

/** The backend. @throws where the package is not installed or WebAssembly is not available */
export async function loadTinySecp256k1(): Promise<PointBackend> {
  const tiny = await import('tiny-secp256k1')
  const mul = (scalar: Uint8Array, point: Uint8Array): Uint8Array =>
    some(tiny.pointMultiply(point, scalar, false))
  const add = (a: Uint8Array, b: Uint8Array): Uint8Array | undefined =>
    tiny.pointAdd(a, b, false) ?? undefined
  const randomScalar = (): Uint8Array => {
    for (;;) {
      const scalar = webcrypto.getRandomValues(new Uint8Array(32))
      if (tiny.isPrivate(scalar)) return scalar
    }
  }
  return {
    name: 'tiny-secp256k1',
    mulBase: (scalar) => some(tiny.pointFromScalar(scalar, false)),
    mulSecret(scalar, point) {
      const mask = randomScalar()
      const rest = some(tiny.privateSub(scalar, mask))
      const product = add(mul(mask, point), mul(rest, point))
      wipe(mask, rest)
      return some(product ?? null)
    },
    mul,
    add,
    // The check comes first although it does the work twice: a function that meets an invalid point
    // throws from inside WebAssembly, which loses a piece of its stack each time, and after a few
    // thousand of them the module is dead.
    decode: (encoded) =>
      tiny.isPointCompressed(encoded) ? tiny.pointCompress(encoded, false) : undefined,
    verifies(publicKey, digest, signature) {
      if (!tiny.isPointCompressed(publicKey)) return false
      try {
        return tiny.verify(digest, publicKey, signature, true)
      } catch {
        // r or s is not below the order: refused before WebAssembly.
        return false
      }
    },
  }
}

function some(point: Uint8Array | null): Uint8Array {
  if (point === null) throw new Error('libsecp256k1 refused its input')
  return point
}
