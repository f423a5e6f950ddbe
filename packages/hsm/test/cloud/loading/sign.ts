/** Signs one digest with a new key of the service that is its argument, and has nothing else that keeps it alive. */
import { writeSync } from 'node:fs'
import { systemClock } from '@quorate/platform'
import type { HsmConfig } from '#src/config/model.js'
import { openHsm } from '#src/registry.js'

const config = JSON.parse(process.argv[2] ?? '') as HsmConfig
const { provider, close } = await openHsm(config, { clock: systemClock })
const { id } = await provider.generateKey({ label: 'main', algorithm: 'secp256k1' })
const digest = new Uint8Array(32).fill(1)
const signature = await provider.sign(id, { digest })
writeSync(1, `signed ${String(await provider.verify(id, { digest }, signature))}\n`)
await close()
