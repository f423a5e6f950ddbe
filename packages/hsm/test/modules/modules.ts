/** All real modules that tests run against, by name. */
import type { Module, Scope } from './fixture.ts'
import { openNss } from './nss.ts'
import { openOpencryptoki } from './opencryptoki.ts'
import { openSoftHsm } from './softhsm.ts'
import { openTpm2 } from './tpm2.ts'

export const MODULES = {
  softhsm: openSoftHsm,
  nss: openNss,
  opencryptoki: openOpencryptoki,
  tpm2: openTpm2,
} as const satisfies { readonly [name: string]: (scope: Scope) => Promise<Module> }
export type ModuleName = keyof typeof MODULES

/**
 * A fresh token of the module, in places of its own, until the scope ends. What the module itself
 * keeps is per process: one file of tests opens one module once, or uses it in child processes.
 */
export const openModule = (name: ModuleName, scope: Scope): Promise<Module> => MODULES[name](scope)
