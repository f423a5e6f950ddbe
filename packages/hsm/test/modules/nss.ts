/** NSS softokn: the widest mechanism list here, but neither secp256k1 nor Ed25519. No daemon. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { locate, type Module, runOrThrow, type Scope, scratchIn } from './fixture.ts'

const LABEL = 'NSS Certificate DB'
const PIN = 'correct-horse-7'

export async function openNss(scope: Scope): Promise<Module> {
  const files = locate('nss')
  if ('reason' in files) return { available: false, reason: files.reason }
  const [library, certutil] = files as readonly [string, string]
  const directory = scratchIn(scope)
  const password = join(directory, 'password')
  writeFileSync(password, `${PIN}\n`, { mode: 0o600 })
  runOrThrow(certutil, ['-N', '-d', `sql:${directory}`, '-f', password])
  return {
    available: true,
    library,
    settings: {
      driver: 'pkcs11',
      library,
      profile: 'nss',
      token: { label: LABEL },
      initArgs: `configdir='sql:${directory}' certPrefix='' keyPrefix='' secmod='secmod.db' flags=`,
      env: {},
    },
    pin: PIN,
    // The database has one password: it knows no security officer.
    soPin: PIN,
  }
}
