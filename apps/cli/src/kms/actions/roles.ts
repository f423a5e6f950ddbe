/** kms roles, why and access test: rules, and what they come to. */
import { Fault } from '@quorate/base'
import type { Run } from '../../command.ts'
import { readJson } from '../../files.ts'
import { connectKms, placeOf } from '../connect.ts'
import { ask, idOf, inScope, listed, listOf, removeFrom, scopeOf, theOne } from '../documents.ts'

type Role = {
  readonly id: string
  readonly name: string
  readonly description: string
  readonly rules: readonly object[]
  readonly isBuiltIn: boolean
}
type Reason = {
  readonly rule: string
  readonly effect: string
  readonly matched: boolean
  readonly because: string
}
type Decision = { readonly allowed: boolean; readonly why: readonly Reason[] }
type Report = {
  readonly passed: number
  readonly failed: number
  readonly cases: readonly {
    readonly name: string
    readonly passed: boolean
    readonly expected: string
    readonly decided: string
    readonly why: readonly Reason[]
  }[]
}

/** A built-in role's id is its name. */
const BUILT_IN = /^(?!rol_)/

export const listRoles: Run = listOf('roles', ['name', 'id', 'description'])
export const removeRole: Run = removeFrom('roles')

export const showRole: Run = async (given, output) => {
  const connection = await connectKms(given)
  const { client } = connection
  const id = await idOf(given, connection, 'roles', given.argument(0))
  const project = await scopeOf(given, connection)
  const role = BUILT_IN.test(id)
    ? (await listed<Role>(client, 'roles', project)).find((each) => each.id === id)
    : await ask<Role>(client, 'GET', `/api/v1/roles/${id}`)
  if (role === undefined) throw new Fault('kms/not-found', { detail: id })
  output.result(role, () => [
    role.isBuiltIn ? `${role.name} (built in)` : `${role.name} (${role.id}): ${role.description}`,
    ...role.rules.map((rule) => `  ${JSON.stringify(rule)}`),
  ])
}

export const createRole: Run = async (given, output) => {
  const connection = await connectKms(given)
  const description = given.text('description')
  const made = await ask<Role>(connection.client, 'POST', '/api/v1/roles', {
    name: given.argument(0),
    rules: readJson(given.required('rules')),
    ...(description !== undefined && { description }),
    ...inScope(await scopeOf(given, connection)),
  })
  output.result(made, () => [`Role ${made.name} is there: ${made.id}`])
}

export const updateRole: Run = async (given, output) => {
  const { client, id } = await theOne(given, 'roles')
  const [name, description, rules] = [
    given.text('name'),
    given.text('description'),
    given.text('rules'),
  ]
  const changed = await ask<Role>(client, 'PATCH', `/api/v1/roles/${id}`, {
    ...(name !== undefined && { name }),
    ...(description !== undefined && { description }),
    ...(rules !== undefined && { rules: readJson(rules) }),
  })
  output.result(changed, () => [`Role ${changed.name} is changed, for all who have it.`])
}

const reasonLines = (why: readonly Reason[]): readonly string[] =>
  why.map(
    ({ matched, effect, rule, because }) =>
      `  ${matched ? effect.padEnd(5) : '-    '}  ${rule}: ${because}`,
  )

export const why: Run = async (given, output) => {
  const connection = await connectKms(given)
  const { project, environment, path } = await placeOf(given, connection)
  const [name, at, address, other] = [
    given.text('name'),
    given.text('at'),
    given.text('address'),
    given.text('identity'),
  ]
  const tags = given.list('tag')
  const id = other === undefined ? undefined : await idOf(given, connection, 'identities', other)
  const isInstance = given.flag('instance')
  const decision = await ask<Decision>(
    connection.client,
    'POST',
    id === undefined ? '/api/v1/access/why' : `/api/v1/identities/${id}/why`,
    {
      action: given.argument(0),
      ...(isInstance
        ? {}
        : {
            project,
            resource: {
              environment,
              path,
              ...(name !== undefined && { name, tags }),
            },
          }),
      ...(at !== undefined && { at }),
      ...(address !== undefined && { address }),
    },
  )
  output.result(decision, () => [
    decision.allowed ? 'Yes.' : 'No.',
    ...(decision.why.length === 0 ? ['  No rule names it.'] : reasonLines(decision.why)),
  ])
}

export const testPolicy: Run = async (given, output) => {
  const file = readJson(given.argument(0))
  const { client } = await connectKms(given)
  const report = await ask<Report>(client, 'POST', '/api/v1/access/test', file)
  output.result(report, () => [
    ...report.cases.flatMap(({ name, passed, expected, decided, why: reasons }) =>
      passed
        ? [`ok    ${name}`]
        : [`FAIL  ${name}: ${decided}, and not ${expected}`, ...reasonLines(reasons)],
    ),
    `${report.passed} passed, ${report.failed} failed`,
  ])
  if (report.failed > 0)
    throw new Fault('cli/findings', { detail: `${report.failed} cases decide otherwise` })
}
