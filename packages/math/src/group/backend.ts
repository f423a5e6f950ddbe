/**
 * Putting a faster point backend under a group, after it has shown that it computes what noble does.
 * The check guards against a wrong or outdated build; a backend that lies on purpose runs in our
 * process and is a matter of the supply chain.
 */
import { equalBytes, type Random, toHex } from '@quorate/base'
import { CurveGroup, NOBLE } from './curve.ts'
import type { Element, Group, PointBackend, SignedSample } from './group.ts'

export type BackendChoice = {
  /** Name of the backend that serves the group now. */
  readonly backend: string
  /** Why this one, in one sentence. */
  readonly reason: string
}

const RANDOM_INPUTS = 2

/**
 * Installs `backend` into `group` if every operation agrees with noble on edge cases and on random
 * inputs; otherwise the group keeps what it had, and the answer says what differed. Elements made
 * before stay valid.
 */
export function installBackend(group: Group, backend: PointBackend, random: Random): BackendChoice {
  if (!(group instanceof CurveGroup))
    return { backend: group.name, reason: 'this group has no room for a backend' }
  const difference = findDifference(
    backend,
    group.withBackend(backend),
    group.withBackend(NOBLE),
    random,
  )
  if (difference !== undefined)
    return { backend: group.backendName, reason: `${backend.name} was refused: ${difference}` }
  group.useBackend(backend)
  return { backend: backend.name, reason: `${backend.name} agreed with noble on every operation` }
}

/** Makes noble serve `group` again. */
export function removeBackend(group: Group): void {
  if (group instanceof CurveGroup) group.useBackend(NOBLE)
}

type AnyCurveGroup = Group & {
  readonly invalidEncodings: readonly Uint8Array[]
  readonly signedSample: SignedSample | undefined
}

function findDifference(
  backend: PointBackend,
  candidate: AnyCurveGroup,
  noble: AnyCurveGroup,
  random: Random,
): string | undefined {
  const q = noble.order
  const scalars = [1n, 2n, (1n << 128n) - 1n, q - 2n, q - 1n]
  for (let i = 0; i < RANDOM_INPUTS; i++) scalars.push(noble.randomScalar(random))
  const encodings = scalars.map((k) => noble.encode(noble.mulBase(k)))
  const [expected, found] = [
    new Map<string, readonly string[]>(),
    new Map<string, readonly string[]>(),
  ]
  run(backend, noble, scalars, encodings, expected)
  const failed = run(backend, candidate, scalars, encodings, found)
  if (failed !== undefined) return `${failed} fails`
  for (const [name, results] of expected)
    if (results.some((each, i) => each !== found.get(name)![i]))
      return `${name} gives another result`
  for (const bytes of noble.invalidEncodings) {
    if (!refuses(noble, bytes)) return 'noble accepts an invalid point'
    if (!refuses(candidate, bytes)) return 'decode accepts an invalid point'
  }
  return tellsSignatures(backend, noble.signedSample) ? undefined : 'verifies gives another result'
}

/** Whether it takes a signature that verifies, and none with a bit of anything changed. */
function tellsSignatures({ verifies }: PointBackend, sample: SignedSample | undefined): boolean {
  if (verifies === undefined) return true
  if (sample === undefined) return false
  const { publicKey, message, signature } = sample
  const isTaken = (...parts: Parameters<typeof verifies>): boolean => {
    try {
      return verifies(...parts)
    } catch {
      return false
    }
  }
  const withBit = (bytes: Uint8Array, bit: number): Uint8Array =>
    bytes.map((byte, i) => (i === bit >> 3 ? byte ^ (1 << (bit & 7)) : byte))
  return (
    isTaken(publicKey, message, signature) &&
    ![0, 255].some((bit) => isTaken(withBit(publicKey, bit), message, signature)) &&
    ![0, 7].some((bit) => isTaken(publicKey, withBit(message, bit), signature)) &&
    ![0, 255, 256, 511].some((bit) => isTaken(publicKey, message, withBit(signature, bit)))
  )
}

/** Runs every operation that `backend` has a part in, and records its results; the name of the first that throws. */
function run(
  backend: PointBackend,
  group: Group,
  scalars: readonly bigint[],
  encodings: readonly Uint8Array[],
  results: Map<string, readonly string[]>,
): string | undefined {
  let made: readonly Element[] = []
  let read: readonly Element[] = []
  const reversed = scalars.toReversed()
  const operations: readonly [name: string, work: () => readonly Element[]][] = [
    ['mulBase', () => (made = scalars.map((k) => group.mulBase(k)))],
    ['decode', () => (read = encodings.map((bytes) => group.decode(bytes)))],
    ['mul', () => read.map((e, i) => group.mul(reversed[i]!, e))],
    ['mulSecret', () => read.map((e, i) => group.mulSecret(reversed[i]!, e))],
    ['add', () => [...everyPair(group, made, read), ...everyPair(group, read, made)]],
    ['negate', () => [...made, ...read].map((e) => group.negate(e))],
  ]
  for (const [name, work] of operations) {
    // The one slow operation that a backend may leave to noble: nothing to compare then.
    if (name === 'mulSecret' && backend.mulSecret === undefined) continue
    try {
      // All results first, encodings after: a backend that hands out one buffer twice is found too.
      results.set(name, encodeAll(group, work()))
    } catch {
      return name
    }
  }
  return undefined
}

/** The doublings and the sums to the identity are among them. */
const everyPair = (
  group: Group,
  left: readonly Element[],
  right: readonly Element[],
): readonly Element[] => left.flatMap((a) => right.map((b) => group.add(a, b)))

const encodeAll = (group: Group, elements: readonly Element[]): readonly string[] =>
  elements.map((e) => (group.isIdentity(e) ? 'identity' : toHex(group.encode(e))))

function refuses(group: Group, bytes: Uint8Array): boolean {
  const before = bytes.slice()
  try {
    group.decode(bytes)
    return false
  } catch {
    return equalBytes(before, bytes)
  }
}
