/** What the configuration knows of vendors beyond their profiles. */
import { existsSync, readdirSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { DeviceFault } from '../errors.ts'
import { PROFILES, profileById, profileFor } from '../pkcs11/profiles/find.ts'
import type { Profile } from '../pkcs11/profiles/profile.ts'
import { isVendor, type Vendor } from './model.ts'

/** The profile of a vendor; of a module without a named vendor the one that its file name points to. */
export const profileOf = (type: Vendor, library: string | undefined): Profile =>
  type === 'pkcs11' ? profileFor(library === undefined ? {} : { library }) : profileById(type)

/** The vendor whose client puts its module at exactly this place; `pkcs11` elsewhere, whatever the name of the file. */
export function typeOfLibrary(library: string): Vendor {
  const found = PROFILES.find(({ libraries }) => libraries.includes(library))
  return found !== undefined && isVendor(found.id) ? found.id : 'pkcs11'
}

/** Further variables that modules read. */
const MORE: { readonly [V in Vendor]?: readonly string[] } = {
  nshield: ['CKNFAST_LOADSHARING', 'CKNFAST_HSM_POOL', 'CKNFAST_CARDSET_HASH', 'NFAST_HOME'],
  tpm2: ['TPM2_PKCS11_TCTI', 'TPM2_PKCS11_STORE'],
}

/** NAME=VALUE for the process that loads the module: what is given, else what this process has, else what is usual. */
export function environmentFor(
  type: Vendor,
  library: string | undefined,
  given: readonly string[],
  env: { readonly [name: string]: string | undefined },
): readonly string[] {
  const profile = profileOf(type, library)
  const names = new Set([...Object.keys(profile.env), ...(MORE[profile.id as Vendor] ?? [])])
  const set = new Set(given.map((each) => each.split('=')[0]))
  const inherited = [...names].flatMap((name) => {
    const value = env[name] ?? profile.env[name]
    return set.has(name) || value === undefined || value === '' ? [] : [`${name}=${value}`]
  })
  return [...given, ...inherited]
}

/** Where the module of a profile is. @throws hsm/library-missing naming the places where it was looked for */
export function findLibrary({ libraries }: Profile): string {
  for (const place of libraries) {
    const [found] = place.includes('*') ? matching(place) : [place].filter(existsSync)
    if (found !== undefined) return found
  }
  throw new DeviceFault('hsm/library-missing', { detail: `none of ${libraries.join(', ')}` })
}

/** The newest first; `*` stands in the name of the file. */
function matching(place: string): readonly string[] {
  const [before = '', after = ''] = basename(place).split('*')
  const directory = dirname(place)
  if (!existsSync(directory)) return []
  return readdirSync(directory)
    .filter((name) => name.startsWith(before) && name.endsWith(after))
    .sort((a, b) => b.localeCompare(a, 'en', { numeric: true }))
    .map((name) => join(directory, name))
}
