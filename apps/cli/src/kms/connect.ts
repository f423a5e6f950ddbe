/** The KMS and the place in it that a command means. */
import { Fault, Secret } from '@quorate/base'
import { type FullPlace, KmsClient, type Project, parseKmsAddress } from '@quorate/sdk/kms'
import type { Given } from '../command.ts'
import { readSignIn, type SignIn, tokenOfEnvironment } from './sign-in.ts'

export type KmsConnection = {
  readonly client: KmsClient
  readonly address: string
  readonly signIn: SignIn | undefined
}

const DEFAULT_ENVIRONMENT = 'development'

const setting = (name: string): string | undefined => process.env[name] || undefined

/**
 * The KMS that is named, signed in with KMS_TOKEN, KMS_TOKEN_FILE or the stored token.
 * @throws cli/not-signed-in, sdk/bad-address
 */
export async function connectKms(given: Given): Promise<KmsConnection> {
  const signIn = readSignIn()
  const named = given.text('url') ?? setting('KMS_URL')
  const address = named ?? signIn?.address
  const own = await tokenOfEnvironment()
  // A stored token goes to the server it came from and to no other.
  const stored =
    signIn !== undefined && (named === undefined || named === signIn.address)
      ? new Secret(signIn.token)
      : undefined
  const token = own ?? stored
  if (address === undefined || token === undefined) throw new Fault('cli/not-signed-in')
  return {
    client: new KmsClient({ endpoint: parseKmsAddress(address), token }),
    address,
    signIn,
  }
}

/** A client without a token, for what needs none. @throws cli/not-signed-in where no server is named */
export function connectStranger(given: Given): Omit<KmsConnection, 'signIn'> {
  const address = given.text('url') ?? setting('KMS_URL') ?? readSignIn()?.address
  if (address === undefined) throw new Fault('cli/not-signed-in')
  return { client: new KmsClient({ endpoint: parseKmsAddress(address) }), address }
}

/** The project that is meant. @throws cli/no-project, kms/no-project */
export async function projectOf(
  given: Given,
  { client, signIn }: KmsConnection,
): Promise<Pick<Project, 'id' | 'name'>> {
  const named = given.text('project') ?? setting('KMS_PROJECT') ?? signIn?.project
  if (named !== undefined && /^prj_[0-9a-z]{26}$/.test(named)) return { id: named, name: named }
  const projects = await client.projects()
  const found =
    named === undefined
      ? projects.length === 1
        ? projects[0]
        : undefined
      : projects.find(({ name }) => name === named)
  if (found !== undefined) return found
  if (named !== undefined) throw new Fault('kms/no-project')
  throw new Fault('cli/no-project', {
    detail:
      projects.length === 0 ? 'there is none yet' : projects.map(({ name }) => name).join(', '),
  })
}

/** The place that is meant. @throws cli/no-project, kms/no-project */
export async function placeOf(
  given: Given,
  connection: KmsConnection,
): Promise<Required<FullPlace>> {
  const { id } = await projectOf(given, connection)
  return {
    project: id,
    environment:
      given.text('env') ??
      setting('KMS_ENVIRONMENT') ??
      connection.signIn?.environment ??
      DEFAULT_ENVIRONMENT,
    path: given.text('path') ?? '/',
  }
}

/** `development:/app`. */
export const placeText = ({
  environment,
  path = '/',
}: Pick<FullPlace, 'environment' | 'path'>): string => `${environment}:${path}`
