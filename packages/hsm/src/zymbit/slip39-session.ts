/**
 * One session of SLIP-39 with the device: it makes shares one after the other, or takes them. While it is
 * open the device makes no keys. -1 is its word for "no change": more shares are to come, or, when it
 * takes them, one was wrong; it never says which.
 */
import { randomBytes } from 'node:crypto'
import { Fault, utf8, wipe } from '@quorate/base'
import { DeviceFault } from '../errors.ts'
import type { ShareGroup, Slip39Shape, WalletRequest } from './commands.ts'
import type { ZymbitContext } from './context.ts'
import { asFaults } from './faults.ts'
import { type FunctionName, KEY_TYPES, ZymbitError } from './library.ts'

const NO_CHANGE = -1
const MAX_GROUPS = 14
const MAX_MEMBERS = 14
const MAX_EXPONENT = 5

const EMPTY = new Uint8Array()

type Making = { readonly kind: 'making'; readonly groups: readonly ShareGroup[]; made: number }
type Session = { readonly name: string } & (Making | { readonly kind: 'taking' })

const DIGITS = utf8('ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/')
const PAD = 0x3d

/**
 * Base64 of a passphrase, in which the clients of the library document that it crosses. Wipe it. No text is made on
 * the way, for a text cannot be wiped.
 */
export function inBase64(passphrase: Uint8Array): Uint8Array {
  const out = new Uint8Array(4 * Math.ceil(passphrase.length / 3)).fill(PAD)
  for (let at = 0; at < passphrase.length; at += 3) {
    const [a = 0, b = 0, c = 0] = passphrase.subarray(at, at + 3)
    const bits = (a << 16) | (b << 8) | c
    const digits = Math.min(3, passphrase.length - at) + 1
    for (let i = 0; i < digits; i++) out[(at / 3) * 4 + i] = DIGITS[(bits >> (18 - 6 * i)) & 63]!
  }
  return out
}

const isCount = (value: number, max: number): boolean =>
  Number.isInteger(value) && value >= 1 && value <= max

/** @throws hsm/bad-argument */
function checkShape({ groups, groupThreshold, iterationExponent }: Slip39Shape): void {
  const isSound =
    isCount(groups.length, MAX_GROUPS) &&
    isCount(groupThreshold, groups.length) &&
    groups.every(
      ({ members, threshold }) =>
        isCount(members, MAX_MEMBERS) &&
        isCount(threshold, members) &&
        // Every member would have the whole secret of the group.
        (threshold > 1 || members === 1),
    )
  if (!isSound)
    throw new Fault('hsm/bad-argument', {
      detail: `1 to ${MAX_GROUPS} groups of 1 to ${MAX_MEMBERS} members; a threshold of 1 has one member`,
    })
  if (!isCount(iterationExponent + 1, MAX_EXPONENT + 1))
    throw new Fault('hsm/bad-argument', { detail: 'an iteration exponent is 0 to 5' })
}

export class Slip39Session {
  readonly #context: ZymbitContext
  #session: Session | undefined

  constructor(context: ZymbitContext) {
    this.#context = context
  }

  /** @throws hsm/wallet-session-open */
  demandNone(): void {
    if (this.#session !== undefined) throw new Fault('hsm/wallet-session-open')
  }

  /** The name of the new session. @throws hsm/bad-argument, hsm/wallet-session-open, DeviceFault */
  beginShares(request: WalletRequest, shape: Slip39Shape, passphrase: Uint8Array): string {
    checkShape(shape)
    const { groups, groupThreshold, iterationExponent } = shape
    const terms = [groups.length, groupThreshold, iterationExponent]
    this.#begin('zkGenWalletMasterSeedWithSLIP39', request, terms, passphrase)
    return this.#opened({ kind: 'making', groups, made: 0 })
  }

  /** The name of the new session. @throws hsm/wallet-session-open, DeviceFault */
  beginRecovery(request: WalletRequest, passphrase: Uint8Array): string {
    this.#begin('zkRestoreWalletMasterSeedFromSLIP39', request, [], passphrase)
    return this.#opened({ kind: 'taking' })
  }

  /** The words of the next share, group by group; with the last one the slot of the seed. @throws hsm/wallet-session-lost */
  next(name: string, password: Uint8Array): { share: Uint8Array; slot?: number } {
    const session = this.#named(name)
    if (session.kind !== 'making') throw new Fault('hsm/wallet-session-lost')
    return this.#orCancel(() => {
      const { group, member } = placeOf(session)
      const { members, threshold } = session.groups[group]!
      if (member === 0) this.#context.call('zkSetSLIP39GroupInfo', group, members, threshold)
      const { share, result } = this.#addMember(password)
      session.made++
      const isLast = session.made === session.groups.reduce((sum, each) => sum + each.members, 0)
      if (isLast !== result >= 0) {
        wipe(share)
        throw new DeviceFault('hsm/wrong-result', { detail: 'the shares end at another place' })
      }
      if (!isLast) return { share }
      this.#session = undefined
      return { share, slot: result }
    })
  }

  /** The slot of the seed once the device has one. @throws hsm/wallet-session-lost */
  add(name: string, words: Uint8Array, password: Uint8Array): number | undefined {
    const session = this.#named(name)
    if (session.kind !== 'taking') throw new Fault('hsm/wallet-session-lost')
    return asFaults(() =>
      this.#context.scope((library) => {
        const [secret, mnemonic] = [library.putText(password), library.putText(words)]
        const result = this.#context.ask('zkAddRestoreSLIP39Mnemonic', secret, mnemonic)
        if (result === NO_CHANGE) return undefined
        if (result < 0) throw new ZymbitError('zkAddRestoreSLIP39Mnemonic', -result)
        this.#session = undefined
        return result
      }),
    )
  }

  /** Ends whatever session the device has, of another process too. Nothing happens where there is none. */
  cancel(): void {
    this.#session = undefined
    this.#context.ask('zkCancelSLIP39Session')
  }

  #begin(
    call: FunctionName,
    { name, algorithm }: WalletRequest,
    terms: readonly number[],
    passphrase: Uint8Array,
  ): void {
    this.demandNone()
    const secret = inBase64(passphrase)
    try {
      asFaults(() =>
        this.#context.scope((library) => {
          const [variant, wallet] = [library.putText(EMPTY), library.putText(utf8(name))]
          // No generator key: the seed would not be that of the standard.
          const generator = library.putText(EMPTY)
          const result = this.#context.ask(
            call,
            KEY_TYPES[algorithm],
            variant,
            wallet,
            generator,
            0,
            ...terms,
            library.putText(secret),
          )
          // Of a recovery it also means that the session is open.
          const isOpen = result >= 0 || (result === NO_CHANGE && terms.length === 0)
          if (!isOpen) throw new ZymbitError(call, -result)
        }),
      )
    } finally {
      wipe(secret)
    }
  }

  #opened(session: Making | { readonly kind: 'taking' }): string {
    const name = randomBytes(8).toString('hex')
    this.#session = { ...session, name }
    return name
  }

  #named(name: string): Session {
    if (this.#session?.name === name) return this.#session
    throw new Fault('hsm/wallet-session-lost')
  }

  #addMember(password: Uint8Array): { share: Uint8Array; result: number } {
    const call = 'zkAddSLIP39MemberPassword'
    return this.#context.scope((library) => {
      const out = library.out()
      const result = this.#context.ask(call, library.putText(password), out)
      if (result < NO_CHANGE) {
        library.drop(out)
        throw new ZymbitError(call, -result)
      }
      return { share: library.takeText(out), result }
    })
  }

  /** A session in which something went wrong cannot be gone on with: its shares would have a gap. */
  #orCancel<T>(action: () => T): T {
    try {
      return asFaults(action)
    } catch (error) {
      this.cancel()
      throw error
    }
  }
}

/** The group and the member whose turn it is. */
function placeOf({ groups, made }: Making): { group: number; member: number } {
  let member = made
  let group = 0
  while (member >= (groups[group]?.members ?? Number.POSITIVE_INFINITY)) {
    member -= groups[group]!.members
    group++
  }
  return { group, member }
}
