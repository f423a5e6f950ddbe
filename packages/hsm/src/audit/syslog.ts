/** Audit records to syslog (RFC 5424). It cannot confirm, so nothing waits for it. */
import { toRfc3339 } from '@quorate/api'
import { Fault } from '@quorate/base'
import { isSyslogTarget, openSyslog } from '@quorate/platform'
import type { AuditDelivery } from './delivery.ts'

/** A delivery called `syslog`; `target` as `udp://host:port`, `tcp://host:port` or `unix:/path`. @throws hsm/bad-config */
export function syslogDelivery(target: string): AuditDelivery {
  if (!isSyslogTarget(target))
    throw new Fault('hsm/bad-config', {
      detail: 'syslog is at udp://host:port, tcp://host:port or unix:/path',
    })
  const syslog = openSyslog(target)
  return {
    name: 'syslog',
    confirms: false,
    deliver: (lines) =>
      syslog.send(
        lines.map(({ time, text }) => ({ app: 'quorate-hsm', time: toRfc3339(time), text })),
      ),
    close() {
      syslog.close()
      return Promise.resolve()
    },
  }
}
