/** Tokens in the slots of a module, and the one that the settings mean. */
import { Fault, fromUtf8 } from '@quorate/base'
import type { DeviceSettings } from '../device.ts'
import { DeviceFault } from '../errors.ts'
import { type Arena, ULONG_BYTES } from './arena.ts'
import { CKR } from './constants.ts'
import { CkrError, type Cryptoki } from './cryptoki.ts'

export type TokenInfo = {
  readonly slot: bigint
  readonly label: string
  readonly manufacturer: string
  readonly model: string
  readonly serial: string
  readonly firmware: string
  /** Bits of `TOKEN_FLAGS`. */
  readonly flags: number
  readonly maxSessions: number | undefined
  readonly openSessions: number | undefined
}

/** Text of a Cryptoki structure: padded with blanks, or with zeros by some. */
export function paddedText(bytes: Uint8Array): string {
  return (fromUtf8(bytes) ?? '').replace(/[\0 ]+$/, '')
}

const TOKEN_INFO_BYTES = 208

export function readTokenInfo(cryptoki: Cryptoki, arena: Arena, slot: bigint): TokenInfo {
  return arena.scope(() => {
    const at = arena.reserve(TOKEN_INFO_BYTES)
    cryptoki.C_GetTokenInfo(slot, at)
    const text = (offset: number, length: number): string =>
      paddedText(arena.read(at + offset, length))
    const [major = 0, minor = 0] = arena.read(at + 186, 2)
    return {
      slot,
      label: text(0, 32),
      manufacturer: text(32, 32),
      model: text(64, 16),
      serial: text(80, 16),
      flags: Number(arena.readUlong(at + 96)),
      // CK_EFFECTIVELY_INFINITE is 0, and as good as not told.
      maxSessions: arena.readCount(at + 104) || undefined,
      openSessions: arena.readCount(at + 112),
      firmware: `${major}.${minor}`,
    }
  })
}

/** All slots with a token in them. */
export function listSlots(cryptoki: Cryptoki, arena: Arena): readonly bigint[] {
  for (;;) {
    const slots = arena.scope(() => {
      const count = arena.putUlongs(0)
      cryptoki.C_GetSlotList(1, 0, count)
      const length = Number(arena.readUlong(count))
      const list = arena.reserve(length * ULONG_BYTES)
      try {
        cryptoki.C_GetSlotList(1, list, count)
      } catch (error) {
        // A token was plugged in between the two calls.
        if (error instanceof CkrError && error.ckr === CKR.BUFFER_TOO_SMALL) return undefined
        throw error
      }
      return Array.from({ length: Number(arena.readUlong(count)) }, (_, i) =>
        arena.readUlong(list + i * ULONG_BYTES),
      )
    })
    if (slots !== undefined) return slots
  }
}

/** Every token that answers. */
export function listTokens(cryptoki: Cryptoki, arena: Arena): readonly TokenInfo[] {
  return listSlots(cryptoki, arena).flatMap((slot) => {
    try {
      return readTokenInfo(cryptoki, arena, slot)
    } catch (error) {
      // One slot out of order must not hide the others.
      if (error instanceof CkrError) return []
      throw error
    }
  })
}

/** The only token that matches all that is given. @throws hsm/token-absent, hsm/slot-ambiguous, CkrError */
export function findToken(
  cryptoki: Cryptoki,
  arena: Arena,
  wanted: DeviceSettings['token'],
): TokenInfo {
  const tokens = listTokens(cryptoki, arena)
  const matching = tokens.filter(
    ({ label, serial, slot }) =>
      (wanted.label ?? label) === label &&
      (wanted.serial ?? serial) === serial &&
      (wanted.slot ?? slot.toString()) === slot.toString(),
  )
  const [found, another] = matching
  if (found === undefined)
    throw new DeviceFault('hsm/token-absent', {
      detail: `${tokens.length} other tokens are in the slots of this module`,
    })
  if (another !== undefined)
    throw new Fault('hsm/slot-ambiguous', { detail: `${matching.length} tokens match` })
  return found
}
