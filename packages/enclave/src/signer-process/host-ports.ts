/** The signer's ports, carried out by the daemon at the other end of the channel. */
import type { Clock, LogFields, Logger, Random } from '@quorate/base'
import type { Timers } from '@quorate/platform'
import type { HostCalls } from '../channel/calls.ts'
import type { Client } from '../channel/channel.ts'
import type { SignerPorts } from './ports.ts'

type Local = { readonly clock: Clock; readonly random: Random; readonly timers: Timers }

/** `host` is asked for only when it is used: signer and channel need each other. */
export function portsOver(host: () => Client<HostCalls>, local: Local): SignerPorts {
  // What the daemon no longer takes is lost with it: the channel's end ends this process.
  const forget = (sent: Promise<unknown>): void => void sent.catch(() => undefined)
  return {
    ...local,
    logger: loggerOver(host, {}),
    send: (to, envelope) => forget(host().send({ to, envelope })),
    persist: async (changes, audit, concluded) => {
      await host().persist({ changes, audit, concluded })
    },
    anchored: (from, checkpoint) => forget(host().anchored({ from, checkpoint })),
    backupTold: (from, head) => forget(host().backupTold({ from, head })),
    evidence: async (sid, file) => {
      await host().evidence({ sid, file })
    },
    wake: (hash) => forget(host().wake({ hash })),
    progress: (requestId, phase, done, of) =>
      forget(host().progress({ requestId, phase, done, of })),
  }
}

function loggerOver(host: () => Client<HostCalls>, common: LogFields): Logger {
  return {
    log(level, event, fields = {}) {
      const all = Object.entries({ ...common, ...fields })
      const named = all.flatMap(([name, value]) =>
        value === undefined ? [] : [{ name, value: String(value).slice(0, 256) }],
      )
      host()
        .log({ level, event, fields: named })
        .catch(() => undefined)
    },
    with: (fields) => loggerOver(host, { ...common, ...fields }),
  }
}
