/**
 * A simulated HSM6 for tests: compiles simulator/*.c to a libzk_app_utils.so of our own, and controls the
 * device through the first bytes of the file that is the device. It outlives every process that has loaded it.
 */
import { createHash } from 'node:crypto'
import {
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  readSync,
  renameSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import { wordlist } from '@scure/bip39/wordlists/english'
import type { DeviceSettings } from '#src/device.js'
import { FUNCTIONS, type FunctionName } from '#src/zymbit/library.js'
import { locate, PACKAGE, runOrThrow, type Scope, scratchIn } from '../modules/fixture.ts'

/** What happens to calls of one function. `crash-after`: once the device has done what it was asked. */
export type CallFault = {
  /** How many calls; one unless given. */
  readonly times?: number
} & (
  | { readonly kind: 'answer'; readonly value: number }
  | { readonly kind: 'crash' | 'hang' | 'crash-after' | 'spoil' }
)

const ACTIONS = { answer: 1, crash: 2, hang: 3, 'crash-after': 4, spoil: 5 } as const

const NAMES = Object.keys(FUNCTIONS) as readonly FunctionName[]

/** Offsets of `struct device`. */
const AT = {
  trips: 0,
  stamps: 4,
  battery: 12,
  celsius: 16,
  isBound: 20,
  isLocked: 24,
  actions: 28,
  capacity: 36,
  faults: 64,
} as const
const FAULT_BYTES = 24
/** Offsets inside of one fault. */
const FAULT = { calls: 0, action: 4, left: 8, answer: 12, latencyUs: 16 } as const

const SOURCES = join(PACKAGE, 'test/zymbit/simulator')
const SLIP39_WORDS = join(PACKAGE, '../math/src/sharing/slip39/wordlist.ts')

/** What the C sources take from elsewhere: the numbers of the functions, and two lists of words. */
function generatedHeader(): string {
  const slip39 = /`([a-z\s]+)`/.exec(readFileSync(SLIP39_WORDS, 'utf8'))?.[1]?.trim().split(/\s+/)
  const array = (name: string, words: readonly string[]): string =>
    `static const char *const ${name}[${words.length}] __attribute__((unused)) = {${words.map((word) => `"${word}"`).join(',')}};`
  return [
    `enum { ${NAMES.map((name) => `FN_${name}`).join(', ')}, FUNCTION_COUNT };`,
    array('SLIP39_WORDS', slip39 ?? []),
    array('BIP39_WORDS', wordlist),
    '',
  ].join('\n')
}

/** The compiled library, or why there is none. Compiles it where these sources have not been compiled yet. */
export function buildSimulator():
  | { readonly library: string; readonly reason?: never }
  | { readonly reason: string } {
  const found = locate('zymbit')
  if ('reason' in found) return { reason: `no C compiler with OpenSSL: ${found.reason}` }
  const header = generatedHeader()
  const sources = readdirSync(SOURCES).filter((name) => /\.[ch]$/.test(name))
  const hash = createHash('sha256').update(header)
  for (const name of sources) hash.update(readFileSync(join(SOURCES, name)))
  const directory = join(PACKAGE, `dist/test/zymbit/${hash.digest('hex').slice(0, 16)}`)
  const library = join(directory, 'libzk_app_utils.so')
  if (!existsSync(library)) {
    mkdirSync(directory, { recursive: true })
    writeFileSync(join(directory, 'generated.h'), header)
    const unfinished = `${library}.${process.pid}`
    const flags = '-std=gnu11 -O2 -Wall -Wextra -Werror -fvisibility=hidden -shared -fPIC'
    const files = sources.filter((name) => name.endsWith('.c')).map((name) => join(SOURCES, name))
    runOrThrow(found[0]!, [
      ...flags.split(' '),
      `-I${directory}`,
      ...files,
      '-o',
      unfinished,
      '-lcrypto',
    ])
    renameSync(unfinished, library)
  }
  return { library }
}

/** One simulated device, new, with nothing wrong. */
export class ZymbitSimulator {
  readonly settings: DeviceSettings
  /** Of the labels. */
  readonly directory: string
  readonly #file: number

  /** @throws Error where it cannot be built */
  constructor(scope: Scope) {
    const built = buildSimulator()
    if (built.reason !== undefined) throw new Error(built.reason)
    const scratch = scratchIn(scope)
    const path = join(scratch, 'device')
    this.#file = openSync(path, 'wx+', 0o600)
    scope.after(() => closeSync(this.#file))
    this.directory = join(scratch, 'labels')
    this.settings = {
      driver: 'zymbit',
      library: built.library,
      profile: 'zymbit',
      token: {},
      directory: this.directory,
      env: { QUORATE_ZYMBIT_SIMULATOR: path },
    }
    this.set({ battery: 3, celsius: 40, isBound: true, isLocked: true })
  }

  /** The file that is the device. */
  get path(): string {
    return this.settings.env['QUORATE_ZYMBIT_SIMULATOR']!
  }

  get scratch(): string {
    return dirname(this.path)
  }

  fail(name: FunctionName, fault: CallFault): void {
    const at = faultAt(name)
    this.#put(at + FAULT.left, 0)
    this.#put(at + FAULT.answer, fault.kind === 'answer' ? fault.value : 0)
    this.#put(at + FAULT.action, ACTIONS[fault.kind])
    // Last, so that no call meets half of the new fault.
    this.#put(at + FAULT.left, fault.times ?? 1)
  }

  /** Adds so much to every call of a function. */
  delay(name: FunctionName, microseconds: number): void {
    this.#put(faultAt(name) + FAULT.latencyUs, microseconds)
  }

  /** How often it was called, by all processes. */
  calls(name: FunctionName): number {
    return this.#read(faultAt(name) + FAULT.calls).readUInt32LE()
  }

  set(state: {
    readonly battery?: number
    readonly celsius?: number
    readonly isBound?: boolean
    readonly isLocked?: boolean
    /** How many user slots there are. */
    readonly capacity?: number
  }): void {
    const { battery, celsius, isBound, isLocked, capacity } = state
    if (battery !== undefined) this.#write(AT.battery, float(battery))
    if (celsius !== undefined) this.#write(AT.celsius, float(celsius))
    if (isBound !== undefined) this.#put(AT.isBound, Number(isBound))
    if (isLocked !== undefined) this.#put(AT.isLocked, Number(isLocked))
    if (capacity !== undefined) this.#put(AT.capacity, capacity)
  }

  /** Somebody touches the perimeter. `seconds`: since the epoch, by the clock of the device. */
  breach(channel: 0 | 1, seconds: number): void {
    this.#put(AT.stamps + 4 * channel, seconds)
    this.#put(AT.trips, this.#read(AT.trips).readUInt32LE() + 1)
  }

  get isBindingLocked(): boolean {
    return this.#read(AT.isLocked).readUInt32LE() === 1
  }

  /** The flags of ZK_PERIMETER_EVENT_ACTION of a channel. */
  actions(channel: 0 | 1): number {
    return this.#read(AT.actions + 4 * channel).readUInt32LE()
  }

  #put(at: number, value: number): void {
    const bytes = Buffer.alloc(4)
    bytes.writeInt32LE(value | 0)
    this.#write(at, bytes)
  }

  #write(at: number, bytes: Buffer): void {
    writeSync(this.#file, bytes, 0, bytes.length, at)
  }

  #read(at: number): Buffer {
    const bytes = Buffer.alloc(4)
    readSync(this.#file, bytes, 0, 4, at)
    return bytes
  }
}

const faultAt = (name: FunctionName): number => AT.faults + NAMES.indexOf(name) * FAULT_BYTES

function float(value: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeFloatLE(value)
  return bytes
}
