/** Listening at an address: a port taken or a dead socket file is told apart from other trouble. */
import { chmodSync, rmSync } from 'node:fs'
import net from 'node:net'
import { Fault } from '@quorate/base'

/** A unix socket of this machine, or a TCP port (0: any free one). */
export type Address = { readonly path: string } | { readonly host: string; readonly port: number }

export const addressText = (address: Address): string =>
  'path' in address
    ? address.path
    : `${address.host.includes(':') ? `[${address.host}]` : address.host}:${address.port}`

/** The length of `sun_path` on Linux is 108, on macOS 104, with a final zero. */
const MAX_SOCKET_PATH = 103

function bindOnce(server: net.Server, address: Address): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen({ ...address, exclusive: true }, () => {
      server.off('error', reject)
      resolve()
    })
  })
}

/** Whether something accepts connections at the unix socket. In doubt, yes. */
function isListening(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = net.connect({ path })
    const answer = (is: boolean): void => {
      probe.destroy()
      resolve(is)
    }
    probe.once('connect', () => answer(true))
    probe.once('error', ({ code }: NodeJS.ErrnoException) => answer(code !== 'ECONNREFUSED'))
  })
}

/**
 * Resolves with the address listened at, its real port in it. A unix socket gets mode 0600; a socket
 * file that a dead process left is replaced, one that answers is not.
 * @throws platform/port-taken, platform/cannot-listen
 */
export async function listen(server: net.Server, address: Address): Promise<Address> {
  const where = addressText(address)
  if ('path' in address && Buffer.byteLength(address.path) > MAX_SOCKET_PATH)
    throw new Fault('platform/cannot-listen', {
      detail: `the socket path is over ${MAX_SOCKET_PATH} bytes: ${where}`,
    })
  try {
    await bindOnce(server, address).catch(async (error: NodeJS.ErrnoException) => {
      if (error.code !== 'EADDRINUSE' || !('path' in address) || (await isListening(address.path)))
        throw error
      rmSync(address.path, { force: true })
      await bindOnce(server, address)
    })
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    throw new Fault(code === 'EADDRINUSE' ? 'platform/port-taken' : 'platform/cannot-listen', {
      detail: `${where} (${code})`,
      cause: error,
    })
  }
  if ('path' in address) {
    chmodSync(address.path, 0o600)
    return address
  }
  return { host: address.host, port: (server.address() as net.AddressInfo).port }
}
