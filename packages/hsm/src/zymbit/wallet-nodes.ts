/** Nodes of wallets (BIP-32): their addresses, and where they lie. */
import { Fault, utf8 } from '@quorate/base'
import type { ZymbitContext } from './context.ts'
import { isRefusal } from './faults.ts'

export type WalletNode = {
  readonly wallet: string
  /** `m` for the seed, `m/44'/60'` below it. */
  readonly address: string
  readonly seedSlot: number
}

/** One step of a path. */
type Step = { readonly index: number; readonly isHardened: boolean }

const MAX_STEPS = 16
const MAX_INDEX = 2 ** 31 - 1

/** The steps of `m/44'/60'/0`; ' and h both mark hardened ones. @throws hsm/bad-argument */
export function parseNodePath(path: string): readonly Step[] {
  const [root, ...parts] = path.length > 256 ? [] : path.split('/')
  const steps = parts.map((part): Step => {
    const [, digits = '', mark] = /^(0|[1-9]\d{0,9})(['hH])?$/.exec(part) ?? []
    return { index: digits === '' ? Number.NaN : Number(digits), isHardened: mark !== undefined }
  })
  const isSound = steps.every(({ index }) => index <= MAX_INDEX)
  if (root !== 'm' || steps.length === 0 || steps.length > MAX_STEPS || !isSound)
    throw new Fault('hsm/bad-argument', {
      detail: `a path is m and 1 to ${MAX_STEPS} steps, e.g. m/44'/60'/0'/0/0`,
    })
  return steps
}

export const stepBelow = (address: string, { index, isHardened }: Step): string =>
  `${address}/${index}${isHardened ? "'" : ''}`

/** The node in a slot; `undefined` for a key of no wallet. @throws ZymbitError */
export function nodeOfSlot(context: ZymbitContext, slot: number): WalletNode | undefined {
  return context.scope((library) => {
    const [address, wallet, seed] = [library.out(), library.out(), library.out()]
    try {
      context.call('zkGetWalletNodeAddrFromKeySlot', slot, address, wallet, seed)
      const node = { address: context.readText(address), wallet: context.readText(wallet) }
      // Some versions answer for every key, with nothing.
      if (node.address === '' || node.wallet === '') return undefined
      return { ...node, seedSlot: library.readInt(seed) }
    } catch (error) {
      if (isRefusal(error)) return undefined
      throw error
    } finally {
      library.drop(address)
      library.drop(wallet)
    }
  })
}

/** The slot of a node, if the device has it. @throws ZymbitError */
export function slotOfNode(
  context: ZymbitContext,
  { wallet, seedSlot }: WalletNode,
  address: string,
): number | undefined {
  return context.scope((library) => {
    const [at, name, slot] = [
      library.putText(utf8(address)),
      library.putText(utf8(wallet)),
      library.out(),
    ]
    try {
      context.call('zkGetWalletKeySlotFromNodeAddr', at, name, seedSlot, slot)
      return library.readInt(slot)
    } catch (error) {
      if (isRefusal(error)) return undefined
      throw error
    }
  })
}

/** The slot of a new child. @throws ZymbitError */
export const makeChild = (
  context: ZymbitContext,
  parent: number,
  { index, isHardened }: Step,
): number =>
  // No chain code is asked for: whoever has it and one child's secret key has those of all its siblings.
  context.call('zkGenWalletChildKey', parent, index, isHardened, false, 0)
