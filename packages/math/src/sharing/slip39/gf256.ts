/**
 * Arithmetic in GF(2⁸) modulo x⁸+x⁴+x³+x+1, the field of SLIP-39 and of AES. Products are made by shifting
 * and masking, without tables: neither branch nor address depends on a factor.
 */

/** a·b. Treats both as secret. */
export function multiply(a: number, b: number): number {
  let product = 0
  let shifted = a
  for (let bit = 0; bit < 8; bit++) {
    product ^= shifted & -((b >> bit) & 1)
    shifted = ((shifted << 1) ^ (0x11b & -(shifted >> 7))) & 0xff
  }
  return product
}

/** a⁻¹, and 0 for 0: a²⁵⁴ by squaring. */
export function invert(a: number): number {
  let power = a
  let result = 1
  // 254 = 11111110 in binary.
  for (let bit = 1; bit < 8; bit++) {
    power = multiply(power, power)
    result = multiply(result, power)
  }
  return result
}

export type Point = {
  /** 0 to 255; public. */
  readonly x: number
  readonly y: Uint8Array
}

/**
 * The values at `x` of the polynomials, one for each byte, through the points. The points' x differ and their
 * values are of one length. Treats the values as secret; which points there are is public.
 */
export function interpolate(points: readonly Point[], x: number): Uint8Array {
  const result = new Uint8Array(points[0]?.y.length ?? 0)
  for (const { x: xi, y } of points) {
    let basis = 1
    for (const { x: xj } of points)
      if (xj !== xi) basis = multiply(basis, multiply(x ^ xj, invert(xi ^ xj)))
    for (let i = 0; i < result.length; i++) result[i] = result[i]! ^ multiply(basis, y[i]!)
  }
  return result
}
