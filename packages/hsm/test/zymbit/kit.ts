/** A provider over a simulated Zymbit, for one test. */
import { mkdirSync } from 'node:fs'
import type { TestContext } from 'node:test'
import { type Logger, Secret, utf8 } from '@quorate/base'
import { type ZymbitDevice, type ZymbitWallets, zymbitDevice, zymbitWallets } from '@quorate/hsm'
import { HostedHsm, type HostedHsmOptions } from '#src/host/hosted-hsm.js'
import { buildSimulator, ZymbitSimulator } from './simulator.ts'

/** Why no simulator can be had here; `false` where it can. */
export const skip: string | false = buildSimulator().reason ?? false

const SILENT: Logger = { log: () => undefined, with: () => SILENT }

export const secret = (text: string): Secret<Uint8Array> => new Secret(utf8(text))
export const textOf = (words: Secret<Uint8Array>): string => Buffer.from(words.expose()).toString()

export type Bench = {
  readonly simulator: ZymbitSimulator
  readonly hsm: HostedHsm
  readonly device: ZymbitDevice
  readonly wallets: ZymbitWallets
  /** Another process over the same device. */
  open(options?: Partial<HostedHsmOptions>): Promise<HostedHsm>
}

export async function benchFor(
  t: TestContext,
  options: Partial<HostedHsmOptions> = {},
): Promise<Bench> {
  const simulator = new ZymbitSimulator(t)
  mkdirSync(simulator.directory, { mode: 0o700 })
  const open = async (more: Partial<HostedHsmOptions> = {}): Promise<HostedHsm> => {
    const hsm = await HostedHsm.open({
      settings: simulator.settings,
      logger: SILENT,
      pool: { size: 1, maxOverflow: 0 },
      ...options,
      ...more,
    })
    t.after(() => hsm.close())
    return hsm
  }
  const hsm = await open()
  return {
    simulator,
    hsm,
    device: await zymbitDevice(hsm),
    wallets: await zymbitWallets(hsm),
    open,
  }
}
