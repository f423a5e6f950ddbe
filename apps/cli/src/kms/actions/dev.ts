/** kms dev: a server for development, ready to be used. */
import { Fault, Secret } from '@quorate/base'
import { KmsClient } from '@quorate/sdk/kms'
import type { Run } from '../../command.ts'
import { homeOf } from '../../dev/home.ts'
import { DevServer } from '../dev-server.ts'
import { writeSignIn } from '../sign-in.ts'

const DEFAULT_PORT = 8200
const PROJECT = 'dev'

export const dev: Run = async (given, output) => {
  const server = new DevServer(homeOf(given))
  if (given.flag('stop')) {
    const wasRunning = await server.stop()
    output.result({ stopped: wasRunning }, () => [
      wasRunning
        ? `The KMS is stopped; its data stay in ${server.directory}`
        : 'No KMS was running.',
    ])
    return
  }
  const wasRunning = server.running() !== undefined
  const isHere = given.flag('foreground')
  if (wasRunning && isHere) throw new Fault('cli/kms-running')
  const port = given.integer('port', 0, 65_535) ?? DEFAULT_PORT
  let ended: Promise<void> | undefined
  if (!wasRunning) {
    output.progress('starting the KMS')
    if (isHere) ended = stoppedWith(server, (await server.startHere(port)).ended)
    else await server.start(port)
  }
  const token = await server.signIn()
  const client = new KmsClient({
    endpoint: { socketPath: server.socketPath },
    token: new Secret(token),
  })
  const projects = await client.projects()
  const project =
    projects.find(({ name }) => name === PROJECT) ?? (await client.createProject(PROJECT))
  const file = await writeSignIn({
    v: 1,
    address: server.address,
    token,
    project: project.id,
    environment: 'development',
  })
  output.result(
    {
      wasRunning,
      address: server.address,
      project: project.id,
      signIn: file,
      data: server.directory,
    },
    () => [
      wasRunning
        ? 'The development KMS runs already.'
        : `A development KMS runs${isHere ? '; Ctrl-C stops it' : ''}.`,
      'DEVELOPMENT: its keys lie beside its data; keep no real secret in it.',
      '',
      `  ${server.address}`,
      `  signed in as developer, project ${PROJECT} (${file})`,
      '',
      'Go on with',
      '  quorate kms secrets set GREETING',
      '  quorate kms run -- printenv GREETING',
      '  quorate kms secrets history GREETING',
      ...(isHere ? [] : ['  quorate kms dev --stop']),
    ],
  )
  await ended
}

/** Resolves once the server has stopped, which a signal to this program asks it to. */
function stoppedWith(server: DevServer, ended: Promise<void>): Promise<void> {
  const stop = (): void => void server.stop()
  process.on('SIGTERM', stop).on('SIGINT', stop)
  return ended.finally(() => process.off('SIGTERM', stop).off('SIGINT', stop))
}
