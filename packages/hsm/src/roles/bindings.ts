/**
 * Which key acts for each role, and on which device it was made. The public key is pinned here when a
 * role is bound: whatever device answers later, a signature leaves only if it holds under that key.
 *
 * While a key rotates both keys of a role verify, and only the current one signs.
 */
import {
  array,
  bytes,
  type Codec,
  equalBytes,
  Fault,
  field,
  int,
  mapped,
  oneOf,
  record,
  text,
} from '@quorate/base'
import { type KeyId, parseKeyId, type SigningAlgorithm } from '../provider.ts'
import type { HsmState } from '../state/store.ts'

export type RoleBinding = {
  /** Name of the device, as the configuration has it, on which the key was made. */
  readonly provider: string
  readonly keyId: KeyId
  /** By which the key is looked for on other devices that hold it. */
  readonly label: string
  readonly algorithm: SigningAlgorithm
  /** Pinned: Ed25519 32 bytes, P-256 and secp256k1 33 bytes compressed. */
  readonly publicKey: Uint8Array
  /** Milliseconds since the epoch. */
  readonly boundAt: number
}

type RoleKeys = {
  readonly role: string
  readonly current: RoleBinding
  /** Keys that were replaced and still verify, newest first. */
  readonly retiring: readonly RoleBinding[]
}

export type KeyRoles = {
  /** Roles that have a key, in their order. */
  roles(): readonly string[]
  /** @throws hsm/role-unbound */
  current(role: string): RoleBinding
  find(role: string): RoleBinding | undefined
  /** The current key and those that still verify, newest first; none where the role has no key. */
  verifying(role: string): readonly RoleBinding[]
  /** The first key of a role; durable once resolved. @throws hsm/role-bound where it has another key */
  bind(role: string, binding: RoleBinding): Promise<void>
  /**
   * From now on `next` signs for the role, and the one before still verifies; durable once resolved.
   * @throws hsm/role-unbound, hsm/role-bound where `replaces` is not the current key (any more)
   */
  rebind(role: string, next: RoleBinding, replaces: KeyId): Promise<void>
  /** The replaced key verifies no longer; without effect where it does not. @throws hsm/role-unbound */
  retire(role: string, keyId: KeyId): Promise<void>
}

/** Letters, digits and underscores, as people write `transaction_signer`. */
export const ROLE_NAME: RegExp = /^[a-z][a-z0-9_]{0,63}$/

const MAX_ROLES = 256
const MAX_RETIRING = 16

const binding: Codec<RoleBinding> = record({
  provider: field(0, text(200)),
  keyId: field(
    1,
    mapped(text(64), parseKeyId, (id: KeyId) => id as string),
  ),
  label: field(2, text(200)),
  algorithm: field(3, oneOf('ed25519', 'p256', 'secp256k1')),
  publicKey: field(4, bytes({ min: 32, max: 33 })),
  boundAt: field(5, int()),
})
const roleKeys: Codec<RoleKeys> = record({
  role: field(0, text(64, ROLE_NAME)),
  current: field(1, binding),
  retiring: field(2, array(binding, { max: MAX_RETIRING })),
})
type Bindings = { readonly v: 1; readonly roles: readonly RoleKeys[] }
const bindings: Codec<Bindings> = record({
  v: field(0, oneOf(1)),
  roles: field(1, array(roleKeys, { max: MAX_ROLES })),
})

const STATE = 'roles'
const NONE: Bindings = { v: 1, roles: [] }

/** The bindings that `state` keeps. @throws hsm/state-damaged */
export function openKeyRoles(state: HsmState): KeyRoles {
  const all = (): readonly RoleKeys[] => (state.read(STATE, bindings) ?? NONE).roles
  const keysOf = (role: string, among = all()): RoleKeys | undefined =>
    among.find((each) => each.role === role)
  all()

  async function change(role: string, next: (now: RoleKeys | undefined) => RoleKeys) {
    if (!ROLE_NAME.test(role))
      throw new Fault('hsm/bad-argument', { detail: 'a role is named like transaction_signer' })
    await state.update(STATE, bindings, (old = NONE): Bindings => {
      const changed = next(keysOf(role, old.roles))
      const others = old.roles.filter((each) => each.role !== role)
      return { v: 1, roles: [...others, changed].sort((a, b) => (a.role < b.role ? -1 : 1)) }
    })
  }

  return {
    roles: () => all().map(({ role }) => role),
    current: (role) => (keysOf(role) ?? unbound(role)).current,
    find: (role) => keysOf(role)?.current,
    verifying(role) {
      const keys = keysOf(role)
      return keys === undefined ? [] : [keys.current, ...keys.retiring]
    },
    bind: (role, first) =>
      change(role, (now) => {
        if (now !== undefined && !isSame(now.current, first)) throw bound(role)
        return now ?? { role, current: first, retiring: [] }
      }),
    rebind: (role, next, replaces) =>
      change(role, (now) => {
        if (now === undefined) return unbound(role)
        const { current, retiring } = now
        // Said twice, as after a crash between this and what follows it.
        if (isSame(current, next)) return now
        if (current.keyId !== replaces) throw bound(role)
        const others = retiring.filter(({ keyId }) => keyId !== next.keyId)
        return { role, current: next, retiring: [current, ...others].slice(0, MAX_RETIRING) }
      }),
    retire: (role, keyId) =>
      change(role, (now) => {
        const { retiring, ...keys } = now ?? unbound(role)
        return { ...keys, retiring: retiring.filter((each) => each.keyId !== keyId) }
      }),
  }
}

const isSame = (a: RoleBinding, b: RoleBinding): boolean =>
  a.provider === b.provider && a.keyId === b.keyId && equalBytes(a.publicKey, b.publicKey)

function unbound(role: string): never {
  throw new Fault('hsm/role-unbound', { detail: `the role ${role}` })
}

const bound = (role: string): Fault => new Fault('hsm/role-bound', { detail: `the role ${role}` })
