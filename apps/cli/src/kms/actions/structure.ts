/** kms projects and env. */
import type { Run } from '../../command.ts'
import { table } from '../../output.ts'
import { connectKms, projectOf } from '../connect.ts'

export const listProjects: Run = async (given, output) => {
  const { client } = await connectKms(given)
  const items = await client.projects()
  output.result({ items }, () =>
    items.length === 0
      ? ['You are in no project.']
      : table([
          ['NAME', 'ID', 'SINCE'],
          ...items.map((each) => [each.name, each.id, each.createdAt]),
        ]),
  )
}

export const createProject: Run = async (given, output) => {
  const { client } = await connectKms(given)
  const environments = given.list('env')
  const made = await client.createProject(
    given.argument(0),
    environments.length === 0 ? undefined : environments,
  )
  output.result(made, () => [`Project ${made.name} is there: ${made.id}`])
}

export const listEnvironments: Run = async (given, output) => {
  const connection = await connectKms(given)
  const { id } = await projectOf(given, connection)
  const items = await connection.client.environments(id)
  output.result({ items }, () =>
    table([['SLUG', 'NAME', 'ID'], ...items.map((each) => [each.slug, each.name, each.id])]),
  )
}

export const createEnvironment: Run = async (given, output) => {
  const connection = await connectKms(given)
  const { id } = await projectOf(given, connection)
  const made = await connection.client.createEnvironment(id, given.argument(0), given.text('name'))
  output.result(made, () => [`Environment ${made.slug} is there.`])
}

export const deleteEnvironment: Run = async (given, output) => {
  const connection = await connectKms(given)
  const { id } = await projectOf(given, connection)
  const slug = given.argument(0)
  await connection.client.deleteEnvironment(id, slug)
  output.result({ deleted: slug }, () => [`Environment ${slug} is gone.`])
}
