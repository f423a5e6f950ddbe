/**
 * Where a node of a signing cluster keeps its sealed backups in a KMS, under the address and the token of its
 * configuration (`backup_url`, `backup_auth_token`).
 */
import { Fault, type Secret } from '@quorate/base'
import { type Query, targetOf } from './client.ts'
import { type KmsCall, type KmsEndpoint, parseKmsAddress, sendToKms } from './transport.ts'

export type ShareBackupStore = {
  /**
   * `https://host:8200/api/v1/projects/prj_…/environments/production#<fingerprint of its certificate>`; over the
   * socket of this machine `unix:/path/kms.sock#/api/v1/projects/prj_…/environments/production`.
   */
  readonly backupUrl: string
  /** Token of a machine identity with a role that reaches `/mpc-backup`. */
  readonly backupAuthToken: Secret<string>
}

/** Bytes of one backup, or of one file. */
export const MAX_BACKUP_BYTES: number = 512 * 1024

const BASE = /^\/api\/v1\/projects\/prj_[0-9a-z]{26}\/environments\/[a-z0-9-]{1,64}$/

/** @throws sdk/bad-address */
export function parseBackupUrl(url: string): {
  readonly endpoint: KmsEndpoint
  readonly base: string
} {
  const [, socket, socketBase = ''] = /^(unix:\/[^#]+)#(\/.*?)\/?$/.exec(url) ?? []
  const [, origin = '', path = '', fragment = ''] =
    /^(https?:\/\/[^/#]+)(\/[^#]*?)\/?(#.*)?$/.exec(url) ?? []
  const base = socket === undefined ? path : socketBase
  if (!BASE.test(base))
    throw new Fault('sdk/bad-address', {
      detail: 'a backup URL ends with /api/v1/projects/<id>/environments/<slug>',
    })
  return { endpoint: parseKmsAddress(socket ?? origin + fragment), base }
}

/** The answer to a call below the environment of the store. @throws sdk/bad-address, sdk/unreachable, kms/… */
export async function askBackups<T>(
  { backupUrl, backupAuthToken: token }: ShareBackupStore,
  below: string,
  call: Pick<KmsCall, 'method' | 'body'>,
  params: { readonly [name: string]: string } = {},
  query: Query = {},
): Promise<T> {
  const { endpoint, base } = parseBackupUrl(backupUrl)
  const target = targetOf(base + below, params, query)
  return (await sendToKms<T>(endpoint, { ...call, target, token })).body
}
