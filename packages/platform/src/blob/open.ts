/**
 * A blob store by its address:
 *
 *   /var/backups/quorate                                         a directory
 *   s3://bucket/prefix?region=eu-central-1                       Amazon S3
 *   s3://bucket/prefix?region=x&endpoint=https://s3.example      a server that speaks its protocol
 *
 * Credentials never stand in an address; they come from AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN.
 */
import { Fault } from '@quorate/base'
import { openBlobDirectory } from './directory.ts'
import type { BlobStore } from './port.ts'
import { openS3 } from './s3.ts'

/** @throws platform/bad-blob-store, and what opening a directory throws */
export async function openBlobStore(
  address: string,
  env: { readonly [name: string]: string | undefined },
): Promise<BlobStore> {
  if (!/^[a-z0-9]+:/i.test(address)) return openBlobDirectory(address)
  const [, bucket, prefix = '', query = ''] =
    /^s3:\/\/([a-z0-9][a-z0-9.-]{1,61}[a-z0-9])(?:\/([A-Za-z0-9._/-]*))?(?:\?(.*))?$/.exec(
      address,
    ) ?? []
  if (bucket === undefined) throw bad('expected a path, or s3://BUCKET/PREFIX?region=REGION')
  const options = new URLSearchParams(query)
  for (const name of options.keys())
    if (name !== 'region' && name !== 'endpoint') throw bad(`an address has no ${name}`)
  const region = options.get('region') ?? env['AWS_REGION']
  const accessKeyId = env['AWS_ACCESS_KEY_ID']
  const secretAccessKey = env['AWS_SECRET_ACCESS_KEY']
  if (region === undefined || region === '') throw bad('the region is missing')
  if (!accessKeyId || !secretAccessKey)
    throw bad('AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY are missing')
  return openS3({
    bucket,
    prefix: prefix === '' || prefix.endsWith('/') ? prefix : `${prefix}/`,
    region,
    endpoint: options.get('endpoint') ?? undefined,
    accessKeyId,
    secretAccessKey,
    sessionToken: env['AWS_SESSION_TOKEN'],
  })
}

const bad = (detail: string): Fault => new Fault('platform/bad-blob-store', { detail })
