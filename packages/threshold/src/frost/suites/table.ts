import { Fault } from '@quorate/base'
import type { FrostSuite, FrostSuiteId } from '../suite.ts'
import { frostEd25519 } from './ed25519.ts'
import { frostSecp256k1Tr } from './secp256k1-tr.ts'

/** Every suite by its id. */
export const frostSuites: { readonly [Id in FrostSuiteId]: FrostSuite } = {
  'FROST-ED25519-SHA512-v1': frostEd25519,
  'FROST-secp256k1-SHA256-TR-v1': frostSecp256k1Tr,
}

/** The suite with this id. @throws threshold/unknown-suite */
export function frostSuite(id: string): FrostSuite {
  if (!Object.hasOwn(frostSuites, id)) throw new Fault('threshold/unknown-suite')
  return frostSuites[id as FrostSuiteId]
}
