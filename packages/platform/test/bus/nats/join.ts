/** Buses of the nodes 1 to 3 over one broker, with greetings that stand in for signatures. */
import { concatBytes, equalBytes, utf8 } from '@quorate/base'
import {
  type Broker,
  type Bus,
  type HelloContext,
  type NatsBusOptions,
  openNatsBus,
  systemRandom,
  systemTimers,
} from '@quorate/platform'
import { silent } from './server.js'

export const CLUSTER = new Uint8Array(32).fill(7)

const OTHER = { dialler: 'listener', listener: 'dialler' } as const
/** Names the peer and repeats what a real greeting would sign. */
const words = (index: number, { role, channel }: Pick<HelloContext, 'role' | 'channel'>) =>
  concatBytes(Uint8Array.of(index), utf8(role), channel)
export const greeter = (self: number) => ({
  makeHello: (context: HelloContext): Uint8Array => words(self, context),
  checkHello: async (hello: Uint8Array, { role, channel }: HelloContext) =>
    equalBytes(hello, words(hello[0] ?? 0, { role: OTHER[role], channel })) ? hello[0] : undefined,
})

export const joinBus = (broker: Broker, self: number, change: Partial<NatsBusOptions> = {}): Bus =>
  openNatsBus({
    ...greeter(self),
    broker,
    prefix: 'mpc',
    cluster: CLUSTER,
    self,
    peers: [1, 2, 3].filter((index) => index !== self),
    timers: systemTimers,
    random: systemRandom,
    logger: silent,
    times: { backoffMinMs: 5, backoffMaxMs: 50 },
    ...change,
  })
