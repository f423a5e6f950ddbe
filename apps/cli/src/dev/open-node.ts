/** Opens the data directory of a node that does not run, for the commands of enrolment. */
import { join } from 'node:path'
import { Fault, type Logger } from '@quorate/base'
import { type LocalNode, openLocal } from '@quorate/node'
import type { Given } from '../command.ts'
import { isEnvironment } from '../environment.ts'
import { askedOf, deviceOf } from '../hsm-device.ts'

const SILENT: Logger = { log: () => {}, with: () => SILENT }

/** What `use` gives, with the node that the options name opened for it. @throws cli/missing-argument, platform/directory-in-use, … */
export async function withLocalNode<T>(
  given: Given,
  use: (node: LocalNode) => Promise<T>,
): Promise<T> {
  const environment = given.text('environment')
  if (environment === undefined) throw new Fault('node/no-environment')
  if (!isEnvironment(environment))
    throw new Fault('cli/bad-value', {
      detail: '--environment takes development, staging or production',
    })
  const directory = given.required('data')
  const hsm = await deviceOf(askedOf(given), { environment, directory: join(directory, 'hsm') })
  const node = await openLocal({ environment, directory, hsm, logger: SILENT })
  try {
    return await use(node)
  } finally {
    await node.close()
  }
}
