/** What goes into a backup: every key that the device lets out wrapped, and why the others are not in it. */
import { isFault } from '@quorate/base'
import { failoverOf } from '../errors.ts'
import type { HsmProvider, KeyInfo, KeyWrapper } from '../provider.ts'
import { type BackedUpKey, type Backup, isSameKey, type NotTaken } from './archive.ts'
import { type BackupKeys, DRILL_LABEL, demandWrapper } from './keys.ts'

/** The key is not extractable, and no earlier backup holds it. */
export const STAYS_INSIDE = 'stays-inside'

export type Taken = {
  readonly keys: readonly BackedUpKey[]
  readonly notTaken: readonly NotTaken[]
}

/**
 * Every key of the device but the backup keys. A key that was restored may not leave again; its wrapped form
 * is taken over from the first of `earlier` that has it.
 */
export async function takeKeys(
  provider: HsmProvider,
  { kek, mac }: BackupKeys,
  earlier: readonly Backup[],
): Promise<Taken> {
  const wrapper = demandWrapper(provider)
  const keys: BackedUpKey[] = []
  const notTaken: NotTaken[] = []
  for (const info of await provider.list()) {
    if (info.id === kek || info.id === mac || info.label === DRILL_LABEL) continue
    const taken = info.isExtractable
      ? await wrapped(wrapper, kek, info)
      : (carried(info, earlier) ?? STAYS_INSIDE)
    if (typeof taken === 'string') notTaken.push({ ...nameOf(info), reason: taken })
    else keys.push(taken)
  }
  return { keys, notTaken }
}

const nameOf = ({
  id,
  label,
  algorithm,
}: KeyInfo): Pick<KeyInfo, 'id' | 'label' | 'algorithm'> => ({
  id,
  label,
  algorithm,
})

/** The wrapped key, or the code of why the device does not let it out. @throws what another try may cure */
async function wrapped(
  wrapper: KeyWrapper,
  kek: BackupKeys['kek'],
  info: KeyInfo,
): Promise<BackedUpKey | string> {
  const { publicKey, createdAt } = info
  try {
    const content = await wrapper.wrapKey(kek, info.id)
    return { ...nameOf(info), publicKey, createdAt, wrapped: content, isCarried: false }
  } catch (error) {
    if (!isFault(error) || failoverOf(error) !== 'never' || STOPS.includes(error.code)) throw error
    return error.code
  }
}

/** About the device or the program, not about the key. */
const STOPS: readonly string[] = [
  'hsm/closed',
  'hsm/compromised',
  'hsm/pin-incorrect',
  'hsm/pin-final-try',
  'hsm/pin-locked',
  'hsm/pin-expired',
  'hsm/audit-unavailable',
]

function carried(info: KeyInfo, earlier: readonly Backup[]): BackedUpKey | undefined {
  const before = earlier
    .flatMap(({ keys }) => keys)
    .find((each) => each.id === info.id && isSameKey(each, info))
  return before === undefined ? undefined : { ...before, isCarried: true }
}
