/**
 * secp256k1 by libsecp256k1 compiled to WebAssembly, through the optional package `tiny-secp256k1`.
 * Its multiplication of arbitrary points is variable-time, so `mulSecret` stays with noble; that of
 * the generator is made for secrets.
 */
import type { PointBackend } from '../src/index.ts'

/** The backend. @throws where the package is not installed or WebAssembly is not available */
export async function loadTinySecp256k1(): Promise<PointBackend> {
  const tiny = await import('tiny-secp256k1')
  return {
    name: 'tiny-secp256k1',
    mulBase: (scalar) => some(tiny.pointFromScalar(scalar, false)),
    mul: (scalar, point) => some(tiny.pointMultiply(point, scalar, false)),
    add: (a, b) => tiny.pointAdd(a, b, false) ?? undefined,
    // The check comes first although it does the work twice: a function that meets an invalid point
    // throws from inside WebAssembly, which loses a piece of its stack each time, and after a few
    // thousand of them the module is dead.
    decode: (encoded) =>
      tiny.isPointCompressed(encoded) ? tiny.pointCompress(encoded, false) : undefined,
  }
}

function some(point: Uint8Array | null): Uint8Array {
  if (point === null) throw new Error('libsecp256k1 refused its input')
  return point
}
