/** Addresses of NATS servers as people give them. */
import { Fault } from '@quorate/base'

// No user and password in it: credentials have a file.
const URL_PATTERN = /^(nats|tls):\/\/(\[[0-9A-Fa-f:.]+\]|[0-9A-Za-z.-]+)(:\d{1,5})?$/

/** @throws cli/bad-value */
export function checkNatsUrl(url: string): string {
  if (!URL_PATTERN.test(url))
    throw new Fault('cli/bad-value', {
      detail: '--nats-url takes nats://HOST:PORT or tls://HOST:PORT',
    })
  return url
}
