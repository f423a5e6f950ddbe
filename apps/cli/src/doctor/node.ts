/** A node that --url names: whether it can do its work, and what it says of itself. */
import { isFault } from '@quorate/base'
import type { Given } from '../command.ts'
import { connect, endpointOf } from '../connection.ts'
import { custody, ofStatus } from './cluster.ts'
import { error, type Finding } from './finding.ts'
import { readiness } from './ready.ts'

export async function nodeFindings(given: Given): Promise<readonly Finding[]> {
  const url = given.required('url')
  const ready = await readiness(url, endpointOf(url))
  try {
    const { client } = await connect(given)
    const status = await client.call('getStatus', {})
    return [ready, ...ofStatus(url, status), custody(status.custody)]
  } catch (caught) {
    if (!isFault(caught)) throw caught
    return [ready, error(url, caught.message, caught.remedy)]
  }
}
