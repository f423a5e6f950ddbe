/** The fastest arithmetic that is installed, none of it required. */
import { webcrypto } from 'node:crypto'
import type { Random } from '@quorate/base'
import {
  type BackendChoice,
  bigintEngine,
  ed25519,
  type Group,
  installBackend,
  type PointBackend,
  removeBackend,
  secp256k1,
  useIntegerEngine,
} from '../src/index.ts'
import { useOpensslIntegers } from './openssl-integers.ts'
import { loadSodium } from './sodium.ts'
import { loadTinySecp256k1 } from './tiny-secp256k1.ts'

export { opensslEngine } from './openssl-integers.ts'
export { safePrime } from './safe-prime.ts'
export { loadSodium, loadTinySecp256k1 }

export type BackendChoices = { readonly [Name in Group['name'] | 'integers']: BackendChoice }

const random: Random = { bytes: (length) => webcrypto.getRandomValues(new Uint8Array(length)) }

/**
 * Gives each group the backend that will serve it and says why: the optional one if it is
 * installed and agrees with noble on every operation, else noble. Big integers get OpenSSL in the same
 * manner, else `bigint`. With `only: 'noble'` nothing is loaded and nothing native is used. Meant to be
 * called once, at the start of a process.
 */
export async function chooseBackends(
  options: { readonly only?: 'noble' } = {},
): Promise<BackendChoices> {
  const choose = options.only === 'noble' ? useNoble : tryBackend
  return {
    ed25519: await choose(ed25519, loadSodium),
    secp256k1: await choose(secp256k1, loadTinySecp256k1),
    integers: options.only === 'noble' ? useSlowIntegers() : useFastIntegers(),
  }
}

/** As `chooseBackends`, for signatures over Ed25519 alone: for processes that do no more than verify them. */
export const hastenEd25519 = (): Promise<BackendChoice> => tryBackend(ed25519, loadSodium)

/**
 * Makes OpenSSL serve powers modulo big integers, after it has shown that it computes what `bigint`
 * does; says what serves them now, and why. For all moduli that are used from now on.
 */
export const useFastIntegers = (): BackendChoice => useOpensslIntegers(random)

function useSlowIntegers(): BackendChoice {
  useIntegerEngine(bigintEngine)
  return { backend: bigintEngine.name, reason: 'noble was asked for, so nothing native is used' }
}

async function useNoble(group: Group): Promise<BackendChoice> {
  removeBackend(group)
  return { backend: 'noble', reason: 'noble was asked for' }
}

async function tryBackend(group: Group, load: () => Promise<PointBackend>): Promise<BackendChoice> {
  removeBackend(group)
  let backend: PointBackend
  try {
    backend = await load()
  } catch (cause) {
    const isAbsent =
      cause instanceof Error && 'code' in cause && String(cause.code).endsWith('MODULE_NOT_FOUND')
    return {
      backend: 'noble',
      reason: isAbsent ? 'no faster backend is installed' : 'the faster backend does not load here',
    }
  }
  return installBackend(group, backend, random)
}
