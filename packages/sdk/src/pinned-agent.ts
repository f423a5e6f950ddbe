/**
 * TLS to a server that is known by its certificate alone. The handshake proves that it holds the key;
 * nothing is sent before the certificate is found to be the one that was pinned.
 */
import { createHash } from 'node:crypto'
import { Agent, type RequestOptions } from 'node:https'
import type { Duplex } from 'node:stream'
import { connect } from 'node:tls'
import { Fault } from '@quorate/base'

type Done = (error: Error | null, stream: Duplex) => void

class PinnedAgent extends Agent {
  readonly #fingerprint: string

  constructor(fingerprint: string) {
    super({ keepAlive: true })
    this.#fingerprint = fingerprint
  }

  override createConnection(options: RequestOptions, done: Done): undefined {
    const socket = connect({
      host: options.host ?? '',
      port: Number(options.port),
      minVersion: 'TLSv1.3',
      // Nobody vouches for a self-signed certificate; it is compared below.
      rejectUnauthorized: false,
    })
    const fail = (error: Error): void => done(error, socket)
    socket.once('error', fail)
    socket.once('secureConnect', () => {
      const shown = createHash('sha256').update(socket.getPeerCertificate().raw).digest('hex')
      if (shown === this.#fingerprint) {
        socket.off('error', fail)
        done(null, socket)
      } else socket.destroy(new Fault('sdk/other-certificate'))
    })
  }
}

const agents = new Map<string, PinnedAgent>()

/** Connections to the server with that certificate; SHA-256 in lower-case hex. */
export function agentFor(fingerprint: string): Agent {
  const known = agents.get(fingerprint) ?? new PinnedAgent(fingerprint)
  agents.set(fingerprint, known)
  return known
}
