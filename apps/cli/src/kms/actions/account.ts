/** kms init, login, logout, whoami, approve of a sign-in. */
import { existsSync } from 'node:fs'
import { hostname } from 'node:os'
import { setTimeout as sleep } from 'node:timers/promises'
import { Fault, fromUtf8, isFault, Secret } from '@quorate/base'
import { KmsClient, parseKmsAddress } from '@quorate/sdk/kms'
import type { Given, Run } from '../../command.ts'
import { readBytes, writeNew } from '../../files.ts'
import type { Output } from '../../output.ts'
import { connectKms, connectStranger } from '../connect.ts'
import { readSignIn, removeSignIn, writeSignIn } from '../sign-in.ts'

type Identity = {
  readonly id: string
  readonly name: string
  readonly kind: string
  readonly project: string | null
}
type Minted = { readonly accessToken: string }

export const login: Run = async (given, output) => {
  const { client, address } = connectStranger(given)
  const token = await tokenFor(given, output, client)
  const signedIn = new KmsClient({ endpoint: parseKmsAddress(address), token })
  const self = (await signedIn.call<Identity>({ method: 'GET', target: '/api/v1/self' })).body
  const named = given.text('project')
  // A machine knows its project before anything in it is granted to it.
  const project = named === undefined ? self.project : await projectId(signedIn, named)
  const environment = given.text('env')
  const file = await writeSignIn({
    v: 1,
    address,
    token: token.expose(),
    ...(project !== null && { project }),
    ...(environment !== undefined && { environment }),
  })
  output.result({ identity: self.id, name: self.name, file }, () => [
    `Signed in to ${address} as ${self.name} (${self.kind}).`,
    `The token is in ${file}, which only you can read.`,
  ])
}

export const init: Run = async (given, output) => {
  const { client, address } = connectStranger(given)
  const secret = fromUtf8(readBytes(given.required('secret-file')))?.trim() ?? ''
  const keep = given.required('output')
  // It is shown once: a file in the way must not cost it.
  if (existsSync(keep)) throw new Fault('cli/file-exists', { detail: keep })
  const { body } = await client.call<{
    readonly identity: Identity
    readonly accessToken: string
    readonly clientId: string
    readonly clientSecret: string
  }>({
    method: 'POST',
    target: '/api/v1/sys/init',
    body: { secret, name: given.argument(0) },
  })
  const { identity, accessToken, clientId, clientSecret } = body
  writeNew(keep, `${clientSecret}\n`)
  const file = await writeSignIn({ v: 1, address, token: accessToken })
  output.result({ identity: identity.id, clientId, secretFile: keep, file }, () => [
    `${identity.name} is administrator of ${address}, and signed in (${file}).`,
    'To sign in again:',
    `  quorate kms login --url ${address} --client-id ${clientId} --secret-file ${keep}`,
  ])
}

async function projectId(client: KmsClient, named: string): Promise<string> {
  const projects = await client.projects()
  const found = projects.find(({ id, name }) => id === named || name === named)
  if (found === undefined) throw new Fault('kms/no-project')
  return found.id
}

/** By client id and secret, by a token in a file, or approved where somebody is signed in already. */
async function tokenFor(given: Given, output: Output, client: KmsClient): Promise<Secret<string>> {
  const clientId = given.text('client-id')
  const file = given.text('token-file') ?? given.text('secret-file')
  const text = file === undefined ? undefined : fromUtf8(readBytes(file))?.trim()
  if (clientId !== undefined) {
    if (text === undefined) throw new Fault('cli/missing-argument', { detail: '--secret-file' })
    const { accessToken } = (
      await client.call<Minted>({
        method: 'POST',
        target: '/api/v1/auth/universal/login',
        body: { clientId, clientSecret: text },
      })
    ).body
    return new Secret(accessToken)
  }
  if (text !== undefined) return new Secret(text)
  return approvedElsewhere(output, client)
}

async function approvedElsewhere(output: Output, client: KmsClient): Promise<Secret<string>> {
  const { deviceCode, userCode, expiresAt, intervalSeconds } = (
    await client.call<{
      readonly deviceCode: string
      readonly userCode: string
      readonly expiresAt: string
      readonly intervalSeconds: number
    }>({
      method: 'POST',
      target: '/api/v1/auth/device',
      body: {
        name:
          hostname()
            .replace(/[^ -~]/g, '?')
            .slice(0, 64) || 'a device',
      },
    })
  ).body
  output.note(
    'Approve this sign-in where you are signed in already:',
    `  quorate kms login approve ${userCode}`,
  )
  const end = Date.parse(expiresAt)
  while (Date.now() < end) {
    await sleep(intervalSeconds * 1000)
    const { status, body } = await client.call<Minted>({
      method: 'POST',
      target: '/api/v1/auth/device/token',
      body: { deviceCode },
    })
    if (status === 200) return new Secret(body.accessToken)
    output.progress('waiting for the approval')
  }
  throw new Fault('cli/sign-in-refused')
}

export const approve: Run = async (given, output) => {
  const userCode = given
    .argument(0)
    .toUpperCase()
    .replace(/[^A-Z]/g, '')
  const { client } = await connectKms(given)
  const device = (
    await client.call<{
      readonly name: string
      readonly address: string
      readonly requestedAt: string
    }>({
      method: 'POST',
      target: '/api/v1/auth/device/look',
      body: { userCode },
    })
  ).body
  output.note(`${device.name} asks from ${device.address}, since ${device.requestedAt}.`)
  await client.call({ method: 'POST', target: '/api/v1/auth/device/approve', body: { userCode } })
  output.result({ approved: userCode, ...device }, () => [
    `${device.name} is signed in as you. Revoke its token if that was not you.`,
  ])
}

export const logout: Run = async (given, output) => {
  const signIn = readSignIn()
  let isRevoked = false
  if (signIn !== undefined) {
    try {
      const { client } = await connectKms(given)
      await client.call({ method: 'POST', target: '/api/v1/tokens/self/revoke', body: {} })
      isRevoked = true
    } catch (error) {
      // A server that is gone keeps nobody from forgetting the token.
      if (!isFault(error)) throw error
    }
  }
  removeSignIn()
  output.result({ wasSignedIn: signIn !== undefined, isRevoked }, () => [
    signIn === undefined
      ? 'You were not signed in.'
      : isRevoked
        ? 'Signed out; the token is revoked.'
        : 'The token is forgotten here, but the server could not be told: it ends by itself.',
  ])
}

export const whoami: Run = async (given, output) => {
  const { client, address } = await connectKms(given)
  const identity = (await client.call<Identity>({ method: 'GET', target: '/api/v1/self' })).body
  const token = (
    await client.call<{ readonly id: string; readonly expiresAt: string; readonly method: string }>(
      {
        method: 'GET',
        target: '/api/v1/tokens/self',
      },
    )
  ).body
  output.result({ address, identity, token }, () => [
    `${identity.name} (${identity.kind}, ${identity.id}) at ${address}`,
    `by ${token.method}, until ${token.expiresAt}`,
  ])
}
