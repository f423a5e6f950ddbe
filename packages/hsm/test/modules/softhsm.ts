/** SoftHSM 2: every algorithm of ours, no lockout of PINs, no daemon. */
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { initToken, locate, type Module, type Scope, scratchIn } from './fixture.ts'

const LABEL = 'quorate test'
const PIN = 'correct-horse-7'
const SO_PIN = 'battery-staple-9'

export async function openSoftHsm(scope: Scope): Promise<Module> {
  const files = locate('softhsm')
  if ('reason' in files) return { available: false, reason: files.reason }
  const library = files[0]!
  const directory = scratchIn(scope)
  const tokens = join(directory, 'tokens')
  mkdirSync(tokens, { mode: 0o700 })
  const configuration = join(directory, 'softhsm2.conf')
  writeFileSync(
    configuration,
    `directories.tokendir = ${tokens}\nobjectstore.backend = file\nlog.level = ERROR\nslots.mechanisms = ALL\n`,
    { mode: 0o600 },
  )
  const env = { SOFTHSM2_CONF: configuration }
  initToken({ library, label: LABEL, soPin: SO_PIN, pin: PIN }, env)
  return {
    available: true,
    library,
    settings: { driver: 'pkcs11', library, profile: 'softhsm', token: { label: LABEL }, env },
    pin: PIN,
    soPin: SO_PIN,
  }
}
