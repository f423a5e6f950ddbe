/** Administrators of the whole instance: there is always one, so that nobody is locked out for good. */
import { Fault } from '@quorate/base'
import type { Documents } from '../access/documents.ts'
import { EVERYWHERE } from '../access/model.ts'
import type { Identity, IdentityBody } from './model.ts'

const PAGE = 200

/** Whether the identity is active and holds the role admin everywhere, by itself and for good. */
export const isAdministrator = ({ isActive, grants }: IdentityBody): boolean =>
  isActive &&
  grants.some(
    ({ scope, role, startsAt, endsAt }) =>
      scope === EVERYWHERE && role === 'admin' && startsAt === undefined && endsAt === undefined,
  )

/** Whether there is one other than `except`. */
export async function hasAdministrator(
  identities: Documents<IdentityBody>,
  except = '',
): Promise<boolean> {
  let after = ''
  for (;;) {
    const page = await identities.list(EVERYWHERE, { after, limit: PAGE })
    if (page.some(({ id, body }) => id !== except && isAdministrator(body))) return true
    if (page.length < PAGE) return false
    after = page.at(-1)!.id
  }
}

/** @throws kms/last-administrator where no administrator would be left after the change; `undefined`: removed */
export async function checkNotLast(
  identities: Documents<IdentityBody>,
  before: Identity,
  after: IdentityBody | undefined,
): Promise<void> {
  if (!isAdministrator(before.body)) return
  if (after !== undefined && isAdministrator(after)) return
  if (!(await hasAdministrator(identities, before.id))) throw new Fault('kms/last-administrator')
}
