/** The records of the server as messages of syslog. */
import { openSyslog, type SyslogMessage, syslogBytes } from '@quorate/platform'
import type { Deliver } from './sinks.ts'

const messageOf = (line: string): SyslogMessage => ({
  app: 'quorate-kms',
  time: (JSON.parse(line) as { readonly time: string }).time,
  text: line,
})

/** The message of one record. */
export const syslogMessage = (line: string): Buffer => syslogBytes(messageOf(line))

/** @throws platform/syslog-unreachable where the other side does not take the records */
export function syslogSender(target: string): Deliver {
  const syslog = openSyslog(target)
  return (lines) => syslog.send(lines.map(messageOf))
}
