/** The device itself: how it is, its perimeter, its binding, and data that it locks. */
import { Fault } from '@quorate/base'
import type { ZymbitCommands, ZymbitState } from './commands.ts'
import { confirmations, demandConfirmation } from './confirm.ts'
import type { ZymbitContext } from './context.ts'
import { asFaults } from './faults.ts'
import { ERRNO, type FunctionName, ZymbitError } from './library.ts'
import { type SlotKeys, USER_SLOTS } from './slot-keys.ts'
import { unlockData } from './unlock.ts'

type DeviceCommands = Pick<
  ZymbitCommands,
  | 'state'
  | 'perimeter'
  | 'clearPerimeter'
  | 'setPerimeterAction'
  | 'lockBinding'
  | 'lock'
  | 'unlock'
>

/** ZK_PERIMETER_EVENT_ACTION_NOTIFY and _SELF_DESTRUCT. */
const NOTIFY = 1
const SELF_DESTRUCT = 2
const CHANNELS = 2
const MAX_WAIT_MS = 5_000
/** What a library that answers without waiting waits here. */
const PAUSE_MS = 100
const MAX_LOCKED_BYTES = 1 << 16
const MAX_TIMESTAMPS = 64

/** When each channel was breached, in seconds since the epoch. */
function breaches(context: ZymbitContext): readonly number[] {
  return context.scope((library) => {
    const [out, count] = [library.out(), library.out()]
    context.call('zkGetPerimeterDetectInfo', out, count)
    const length = library.readInt(count)
    if (length < 1 || length > MAX_TIMESTAMPS) {
      library.drop(out)
      return []
    }
    const bytes = library.takeBytes(out, 4 * length)
    return [...new Uint32Array(bytes.buffer, bytes.byteOffset, length)]
  })
}

/** `undefined` where this model or library does not have it. */
function reading(context: ZymbitContext, name: FunctionName): number | undefined {
  if (!context.library.has(name)) return undefined
  return context.scope((library) => {
    const out = library.out()
    const result = context.ask(name, out)
    if (result === -ERRNO.ENOSYS || result === -ERRNO.EOPNOTSUPP) return undefined
    if (result < 0) throw new ZymbitError(name, -result)
    return library.readFloat(out)
  })
}

function binding(context: ZymbitContext): { isBound: boolean; isBindingLocked: boolean } {
  return context.scope((library) => {
    const [locked, bound] = [library.out(), library.out()]
    context.call('zkGetCurrentBindingInfo', locked, bound)
    return { isBound: library.readBool(bound), isBindingLocked: library.readBool(locked) }
  })
}

function pause(milliseconds: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, milliseconds)
}

const isSame = (a: readonly number[], b: readonly number[]): boolean =>
  a.length === b.length && a.every((each, i) => each === b[i])

export function deviceCommands(
  context: ZymbitContext,
  serial: string,
  keys: () => SlotKeys,
): DeviceCommands {
  const state = (): ZymbitState => {
    const taken = keys().taken()
    const labelled = taken.filter((slot) => keys().at(slot)?.isIndexed === true)
    return {
      model: context.text('zkGetModelNumberString'),
      firmware: context.text('zkGetFirmwareVersionString'),
      serial,
      ...binding(context),
      batteryVolts: reading(context, 'zkGetBatteryVoltage'),
      cpuCelsius: reading(context, 'zkGetCPUTemp'),
      breaches: breaches(context),
      slots: {
        taken: taken.length,
        free: Math.max(0, USER_SLOTS - taken.length),
        unlabelled: taken.length - labelled.length,
      },
    }
  }
  const perimeter = (known: readonly number[], waitMs: number): readonly number[] => {
    const now = breaches(context)
    if (!isSame(now, known)) return now
    const result = context.ask('zkWaitForPerimeterEvent', Math.min(waitMs, MAX_WAIT_MS))
    if (result < 0 && result !== -ERRNO.ETIMEDOUT)
      throw new ZymbitError('zkWaitForPerimeterEvent', -result)
    const after = breaches(context)
    if (result >= 0 && isSame(after, known)) pause(Math.min(waitMs, PAUSE_MS))
    return after
  }
  return {
    state: () => asFaults(state),
    perimeter: (known, waitMs) => asFaults(() => perimeter(known, waitMs)),
    clearPerimeter: () => asFaults(() => void context.call('zkClearPerimeterDetectEvents')),
    setPerimeterAction(channel, { notify, selfDestruct }, confirm) {
      if (!Number.isInteger(channel) || channel < 0 || channel >= CHANNELS)
        throw new Fault('hsm/bad-argument', { detail: 'the perimeter has channels 0 and 1' })
      if (selfDestruct) demandConfirmation(confirm, confirmations.selfDestruct(serial, channel))
      const flags = (notify ? NOTIFY : 0) | (selfDestruct ? SELF_DESTRUCT : 0)
      asFaults(() => context.call('zkSetPerimeterEventAction', channel, flags))
    },
    lockBinding(confirm) {
      demandConfirmation(confirm, confirmations.lockBinding(serial))
      asFaults(() => context.call('zkLockBinding'))
    },
    lock(plaintext) {
      checkSize(plaintext)
      return asFaults(() => context.lock(plaintext))
    },
    unlock(locked) {
      checkSize(locked)
      return unlockData(context, locked)
    },
  }
}

function checkSize({ length }: Uint8Array): void {
  if (length === 0 || length > MAX_LOCKED_BYTES)
    throw new Fault('hsm/bad-argument', { detail: `1 to ${MAX_LOCKED_BYTES} bytes` })
}
