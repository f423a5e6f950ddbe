/**
 * A process that has only its emergency device left, and uses that as fast as it can until it is refused or
 * killed. argv: directory of its state, file to which the device appends one byte for each operation, limit.
 * On its output: one line for each result that left, and `refused` at the end.
 */
import { appendFileSync } from 'node:fs'
import { isFault } from '@quorate/base'
import { DeviceFault, type HsmProvider, openHsmState } from '@quorate/hsm'
import { systemClock } from '@quorate/platform'
import { custodyPolicyFromPlain, decideCustody } from '@quorate/policy'
import { Failover } from '#src/failover/failover.js'
import type { SlotPlace } from '#src/failover/machine.js'
import type { FailoverSlot } from '#src/failover/options.js'

const [directory = '', made = '', limit = '0'] = process.argv.slice(2)
const maxTransactions = Number(limit)
const policy = custodyPolicyFromPlain({ emergency: { maxTransactions } })

const slot = (name: string, place: SlotPlace): FailoverSlot => ({
  name,
  place,
  maxRetries: 0,
  retryIntervalMs: 60_000,
  custody: 'hardware',
  open: async () => ({
    provider: { name } as unknown as HsmProvider,
    custody: 'hardware',
    close: async () => undefined,
  }),
})

const failover = await Failover.open(
  {
    name: 'killed',
    slots: [slot('main', 'primary'), slot('last', 'emergency')],
    emergency: policy.emergency,
  },
  {
    clock: systemClock,
    state: await openHsmState(directory),
    audit: { append: async () => undefined },
  },
)

async function use(): Promise<void> {
  for (;;)
    await failover.run({
      role: 'transaction_signer',
      decide: (where) =>
        decideCustody(policy, {
          role: 'transaction_signer',
          operation: 'sign',
          environment: 'production',
          ...where,
        }),
      perform: async (_provider, name) => {
        if (name === 'main') throw new DeviceFault('hsm/token-absent')
        appendFileSync(made, '.')
        process.stdout.write('given\n')
      },
      discard: () => undefined,
    })
}

// All of them to their end: one may be refused while another waits for its count to be on disk.
const ends = await Promise.allSettled([use(), use(), use()])
const isRefused = ends.every(
  (end) => end.status === 'rejected' && isFault(end.reason, 'policy/role-denied'),
)
process.stdout.write(isRefused ? 'refused\n' : `${JSON.stringify(ends)}\n`)
process.exit(0)
