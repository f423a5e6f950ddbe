/** Opens the HSMs of the configurations that are its argument, in a process of its own, and says how each ended. */
import { writeSync } from 'node:fs'
import { isFault } from '@quorate/base'
import { systemClock } from '@quorate/platform'
import type { HsmConfig } from '#src/config/model.js'
import { openHsm } from '#src/registry.js'

for (const config of JSON.parse(process.argv[2] ?? '') as readonly HsmConfig[])
  try {
    const { provider, close } = await openHsm(config, { clock: systemClock })
    writeSync(1, `opened ${(await provider.info()).type}\n`)
    await close()
  } catch (error) {
    writeSync(1, isFault(error) ? `${error.code}: ${error.detail ?? ''}\n` : `${String(error)}\n`)
  }
