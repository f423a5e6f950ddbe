/**
 * What is left of access after a restore. Nobody can tell whom somebody put out of action, what was revoked or
 * which request was refused after the backup was made; so everything that one signs in with ends, every identity is
 * out of action until an administrator puts it back, and no request is open any more. Since no administrator is left,
 * the machine offers a bootstrap secret.
 */
import type { KmsContext } from '../../context.ts'
import type { RequestBody } from '../approvals/model.ts'
import type { IdentityBody } from '../identities/model.ts'
import type { Credentials } from '../tokens/store.ts'
import { Documents, joinWrites, type PageOptions, type Writes } from './documents.ts'

const PAGE = 500

/**
 * Voids it all, a page at a time; a crash on the way is no harm, for the store stays to be taken up and the next
 * unsealing begins anew.
 */
export async function voidAccess(
  context: KmsContext,
  credentials: Credentials,
  identities: Documents<IdentityBody>,
): Promise<void> {
  const requests = new Documents<RequestBody>(context.sql, 'access-request')
  const count = {
    credentials: await overAll(context, 'credential', credentials, (each) =>
      credentials.remove(each),
    ),
    identities: await overAll(context, 'identity', identities, (each) =>
      each.body.isActive
        ? identities.update(each, { body: { ...each.body, isActive: false } })
        : undefined,
    ),
    requests: await overAll(context, 'access-request', requests, (each) =>
      each.body.state === 'open'
        ? requests.update(each, { body: { ...each.body, state: 'revoked' } })
        : undefined,
    ),
  }
  context.logger.log('warn', 'restore.voided', count)
}

/** Writes what `change` says about each row, page by page; how many it was. */
async function overAll<T extends { readonly id: string }>(
  { journal }: KmsContext,
  what: string,
  rows: { all(page: PageOptions): Promise<readonly T[]> },
  change: (row: T) => Writes | undefined,
): Promise<number> {
  let count = 0
  for (let after = ''; ; ) {
    const page = await rows.all({ after, limit: PAGE })
    const writes = page.flatMap((row) => change(row) ?? [])
    if (writes.length > 0)
      await journal.commit({
        ...joinWrites(...writes),
        audit: [
          {
            actor: 'system',
            action: 'store.restore',
            resource: what,
            decision: 'none',
            outcome: 'done',
            fields: [{ name: 'voided', kind: 'int', value: writes.length }],
          },
        ],
      })
    count += writes.length
    const last = page.at(-1)
    if (last === undefined || page.length < PAGE) return count
    after = last.id
  }
}
