/** client new and admin new: a key file, and its public part for the cluster record. */
import { isRole } from '@quorate/api'
import { Fault, isName, newId, parseId } from '@quorate/base'
import { systemClock, systemRandom } from '@quorate/platform'
import type { Run } from '../command.ts'
import { keyFileBytes, newKey } from '../credentials.ts'
import { writeNew } from '../files.ts'

export const create: Run = async (given, output) => {
  const role = given.required('role')
  if (!isRole(role))
    throw new Fault('cli/bad-value', { detail: '--role takes operator, signer or auditor' })
  const name = given.text('name') ?? role
  if (!isName(name))
    throw new Fault('cli/bad-value', {
      detail: '--name takes letters, digits, - _ and ., up to 64',
    })
  const out = given.required('out')
  const now = systemClock.now()
  const project = given.text('project')
  const client = {
    v: 1,
    client: newId('cli', now, systemRandom),
    name,
    role,
    project: project === undefined ? newId('prj', now, systemRandom) : parseId('prj', project),
    ...newKey(),
  } as const
  writeNew(out, keyFileBytes(client))
  const { seed: _private, ...open } = client
  output.result(open, () => [JSON.stringify(open)])
  output.note(
    `The private key is in ${out}; the line above goes to whoever makes the cluster record.`,
  )
}

export const createAdmin: Run = async (given, output) => {
  const name = given.required('name')
  if (!isName(name))
    throw new Fault('cli/bad-value', {
      detail: '--name takes letters, digits, - _ and ., up to 64',
    })
  const out = given.required('out')
  const admin = { v: 1, admin: name, ...newKey() } as const
  writeNew(out, keyFileBytes(admin))
  output.result({ admin: name, key: admin.key }, () => [`${name}=${admin.key}`])
  output.note(
    `The private key is in ${out}; the line above goes to quorate cluster propose --admin.`,
  )
}
