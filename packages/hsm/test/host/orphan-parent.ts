/** A process with a hosted HSM, which prints the process number of its host; to be killed. */
import { utf8 } from '@quorate/base'
import { HostedHsm } from '#src/host/hosted-hsm.js'
import { PIN } from './fake-device.ts'

const logger = { log: () => undefined, with: () => logger }
const hsm = await HostedHsm.open({
  settings: {
    driver: 'pkcs11',
    library: process.argv[2] ?? '',
    profile: 'fake',
    token: { label: 'fake' },
    env: {},
  },
  readPin: async () => utf8(PIN),
  logger,
  entry: new URL('./fake-child.js', import.meta.url),
  pool: { size: 1, maxOverflow: 0 },
})
process.stdout.write(`${hsm.status().pid}\n`)
await hsm.random(8)
