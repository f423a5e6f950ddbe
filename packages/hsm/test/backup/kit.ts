/** Devices to back up: SoftHSM tokens behind a host, and providers in files; a machine that remembers in memory. */
import type { TestContext } from 'node:test'
import { utf8 } from '@quorate/base'
import { type HsmProvider, type MemoryState, memoryHsmState } from '@quorate/hsm'
import { type BlobStore, ManualTime, openBlobStore, systemRandom } from '@quorate/platform'
import { Backups, type BackupsOptions } from '#src/backup/backups.js'
import { HostedHsm } from '#src/host/hosted-hsm.js'
import { scratch } from '../kit.ts'
import { openModule } from '../modules/modules.ts'

const logger = { log: () => undefined, with: () => logger }

/** A new SoftHSM token, or why there is none. */
export async function softToken(t: TestContext): Promise<HostedHsm | { readonly absent: string }> {
  const module = await openModule('softhsm', t)
  if (!module.available) return { absent: module.reason }
  const hsm = await HostedHsm.open({
    settings: module.settings,
    readPin: () => Promise.resolve(utf8(module.pin)),
    logger,
    pool: { size: 1, maxOverflow: 0 },
  })
  t.after(() => hsm.close())
  return hsm
}

export const placeIn = (t: TestContext): Promise<BlobStore> => openBlobStore(scratch(t), {})

export type Machine = {
  readonly backups: Backups
  readonly state: MemoryState
  readonly time: ManualTime
}

export function machine(
  provider: HsmProvider,
  place: BlobStore,
  more: Partial<BackupsOptions> = {},
): Machine {
  const [state, time] = [memoryHsmState(), new ManualTime()]
  const backups = new Backups({
    provider,
    environment: 'development',
    place,
    state,
    clock: time,
    random: systemRandom,
    ...more,
  })
  return { backups, state, time }
}

export type Keys = Awaited<ReturnType<typeof makeKeys>>

/** Keys of every kind that may leave wrapped, and one that may not. */
export async function makeKeys(
  provider: HsmProvider & { generateWrappableKey: HostedHsm['generateWrappableKey'] & {} },
) {
  const make = provider.generateWrappableKey
  return {
    ed25519: await make.call(provider, { label: 'identity', algorithm: 'ed25519' }),
    p256: await make.call(provider, { label: 'release', algorithm: 'p256' }),
    secp256k1: await make.call(provider, { label: 'treasury', algorithm: 'secp256k1' }),
    aes: await make.call(provider, { label: 'store', algorithm: 'aes-256' }),
    mac: await make.call(provider, { label: 'pepper', algorithm: 'hmac-sha256' }),
    inside: await provider.generateKey({ label: 'inside', algorithm: 'p256' }),
  } as const
}
