/** Searches in an account of AWS KMS, page for page. */
import type { AliasListEntry, KMSClient } from '@aws-sdk/client-kms'
import type { Calls } from '../calls.ts'

type Kms = typeof import('@aws-sdk/client-kms')

export type Account = { readonly kms: Kms; readonly client: KMSClient; readonly calls: Calls }

/** Every alias of the account in this region. @throws ServiceFailure */
export const aliasesIn = ({ kms, client, calls }: Account): Promise<readonly AliasListEntry[]> =>
  calls.run(async (abortSignal) => {
    const found: AliasListEntry[] = []
    const pages = kms.paginateListAliases({ client }, { Limit: 100 }, { abortSignal })
    for await (const { Aliases = [] } of pages) found.push(...Aliases)
    return found
  })

/** Ids of the keys that have no alias. @throws ServiceFailure */
export async function unnamedKeysIn(account: Account): Promise<readonly string[]> {
  const { kms, client, calls } = account
  const named = new Set((await aliasesIn(account)).map(({ TargetKeyId }) => TargetKeyId))
  return calls.run(async (abortSignal) => {
    const found: string[] = []
    const pages = kms.paginateListKeys({ client }, { Limit: 1000 }, { abortSignal })
    for await (const { Keys = [] } of pages) found.push(...Keys.flatMap(({ KeyId }) => KeyId ?? []))
    return found.filter((each) => !named.has(each))
  })
}
