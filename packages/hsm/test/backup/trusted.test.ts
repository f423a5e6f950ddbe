/** A backup key that the security officer of a real token trusts: keys then go under no other. */
import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { fromHex, toHex, utf8 } from '@quorate/base'
import { findBackupKeys, generateBackedUpKey } from '@quorate/hsm'
import { HostedHsm } from '#src/host/hosted-hsm.js'
import { CKK, CKO } from '#src/pkcs11/constants.js'
import { isCode } from '../kit.ts'
import { adopt } from '../modules/fixture.ts'
import { openModule } from '../modules/modules.ts'
import { RawModule, SO } from '../raw/raw-module.ts'

const logger = { log: () => undefined, with: () => logger }
const module = await openModule('softhsm', { after })
const KEK = '0123456789abcdef0123456789abcdef'

test('a trusted backup key', { skip: module.available ? false : module.reason }, async (t) => {
  if (!module.available) return
  adopt(module.settings)
  const cryptoki = new RawModule(module.library, module.settings.initArgs)
  const officer = cryptoki.open(cryptoki.slotOf(module.settings.token.label ?? ''))
  officer.login(SO, module.soPin)
  officer.create({
    CLASS: CKO.SECRET_KEY,
    KEY_TYPE: CKK.AES,
    VALUE: new Uint8Array(32).fill(9),
    ID: fromHex(KEK),
    LABEL: 'quorate-backup-kek',
    TOKEN: true,
    PRIVATE: false,
    SENSITIVE: true,
    EXTRACTABLE: false,
    WRAP: true,
    UNWRAP: true,
    ENCRYPT: false,
    DECRYPT: false,
    TRUSTED: true,
    MODIFIABLE: false,
  })
  officer.logout()
  officer.close()
  const hsm = await HostedHsm.open({
    settings: module.settings,
    readPin: () => Promise.resolve(utf8(module.pin)),
    logger,
    pool: { size: 1, maxOverflow: 0 },
  })
  t.after(() => hsm.close())
  await hsm.generateKey({ label: 'quorate-backup-mac', algorithm: 'hmac-sha256' })
  const { kek } = await findBackupKeys(hsm)
  assert.equal(kek, KEK)
  const key = await generateBackedUpKey(hsm, { label: 'k', algorithm: 'secp256k1' })
  const told = (await hsm.objects()).find(
    ({ id, class: kind }) => id === key.id && kind === 'CKO_PRIVATE_KEY',
  )
  assert.equal(told?.flags['WRAP_WITH_TRUSTED'], true)
  assert.ok((await hsm.wrapKey?.(kek, key.id)) !== undefined)
  const own = await hsm.makeWrappingKey?.({ label: 'own' })
  await assert.rejects(async () => hsm.wrapKey?.(own!.id, key.id), isCode('hsm/forbidden'))
  assert.match(toHex(key.publicKey!), /^0[23]/)
})
