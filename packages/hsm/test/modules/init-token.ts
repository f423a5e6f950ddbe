/**
 * A process that initialises one token by the calls that the standard has for it, and sets its user
 * PIN. The plan comes on stdin.
 */
import { readFileSync } from 'node:fs'
import { RawModule, SO, USER } from '../raw/raw-module.ts'

export type TokenPlan = {
  readonly library: string
  readonly label: string
  readonly soPin: string
  readonly pin: string
  /** The SO PIN that the token is delivered with, where it must be replaced. */
  readonly deliveredSoPin?: string
}

function initialise({ library, label, soPin, pin, deliveredSoPin }: TokenPlan): void {
  const module = new RawModule(library)
  const [slot] = module.slots()
  if (slot === undefined) throw new Error('the module has no slot')
  module.initToken(slot, deliveredSoPin ?? soPin, label)
  // Modules may renumber their slots now, and show it only to who comes anew.
  module.finalize()
  module.initialize()
  const session = module.open(module.slotOf(label))
  session.login(SO, deliveredSoPin ?? soPin)
  if (deliveredSoPin !== undefined) session.setPin(deliveredSoPin, soPin)
  session.initPin(pin)
  session.logout()
  session.login(USER, pin)
  module.finalize()
}

// The test runner starts every file of a test directory, without an argument.
if (process.argv[2] === 'run') initialise(JSON.parse(readFileSync(0, 'utf8')) as TokenPlan)
