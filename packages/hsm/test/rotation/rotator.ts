/** A process that rotates one role, and kills itself after so many effects on disk or at an armed place. */
import { join } from 'node:path'
import type { Codec } from '@quorate/base'
import { type HsmProvider, type HsmState, openHsmState, SimulatedHsm } from '@quorate/hsm'
import { armFailpoints, systemClock, systemRandom, systemTimers } from '@quorate/platform'
import { openKeyRoles } from '#src/roles/bindings.js'
import { type OldKeys, rotationConfig } from '#src/rotation/config.js'
import { Rotations } from '#src/rotation/rotations.js'

let left = 0
async function counted<T>(effect: Promise<T>): Promise<T> {
  const result = await effect
  left--
  if (left === 0) process.kill(process.pid, 'SIGKILL')
  return result
}

const countedState = (state: HsmState): HsmState => ({
  read: (name, codec) => state.read(name, codec),
  names: (prefix) => state.names(prefix),
  write: (name, codec, value) => counted(state.write(name, codec, value)),
  update: <T>(name: string, codec: Codec<T>, next: (old: T | undefined) => T) =>
    counted(state.update(name, codec, next)),
  close: () => state.close(),
})

const countedDevice = (device: HsmProvider): HsmProvider =>
  new Proxy(device, {
    get(target, name) {
      const value: unknown = Reflect.get(target, name, target)
      if (typeof value !== 'function') return value
      const method = value.bind(target) as (...args: unknown[]) => Promise<unknown>
      return name === 'generateKey' || name === 'destroy'
        ? (...args: unknown[]) => counted(method(...args))
        : method
    },
  })

async function rotate(root: string, oldKeys: OldKeys): Promise<void> {
  const state = await openHsmState(join(root, 'state'))
  const device = await SimulatedHsm.open(join(root, 'hsm'), systemClock)
  const plain = openKeyRoles(state)
  if (plain.find('validator') === undefined) {
    const [known] = await device.list()
    const key = known ?? (await device.generateKey({ label: 'validator', algorithm: 'secp256k1' }))
    await plain.bind('validator', {
      provider: 'main',
      keyId: key.id,
      label: key.label,
      algorithm: 'secp256k1',
      publicKey: key.publicKey!,
      boundAt: Date.now(),
    })
  }
  const guarded = countedState(state)
  const provider = countedDevice(device)
  const rotations = new Rotations({
    config: rotationConfig({ overlapDays: 0, oldKeys }),
    roles: openKeyRoles(guarded),
    devices: { provider: async () => provider },
    consumers: [],
    state: guarded,
    clock: systemClock,
    timers: systemTimers,
    random: systemRandom,
  })
  const [status] = rotations.status()
  if (status?.job === undefined && status?.count === 0) await rotations.rotateNow('validator')
  else await rotations.run()
  await rotations.stop()
  await state.close()
}

// The test runner starts every file of a test directory, without an argument.
const [, , root, oldKeys, effects] = process.argv
if (root !== undefined) {
  left = Number(effects)
  armFailpoints(process.env, { isDevelopment: true })
  await rotate(root, oldKeys as OldKeys)
}
