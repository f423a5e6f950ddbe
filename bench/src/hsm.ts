/**
 * What our layer over PKCS#11 costs, on SoftHSM with one key of each algorithm. The bare module is
 * C_SignInit and C_Sign on one session in this process, with every buffer made beforehand: nothing can
 * be faster. Both are measured in turns, in blocks of one run; figures are medians.
 *
 *   sign/overhead             microseconds that one signature through the provider host takes beyond the
 *                             bare module, one after the other: Ed25519, which the layer does not verify
 *   sign/overhead-audited     the same with an audit record on disk (fdatasync) before the result is given out
 *   sign-p256, -secp256k1     the same for ECDSA, with s normalised and every signature verified
 *   sign/throughput-8         signatures a second, eight at a time, beside pkcs11js on one thread; SoftHSM
 *                             computes on the processors of the caller, so this is bounded by their number
 *   hsm/slow/…                the same with 2 ms more for each signature, as an HSM in a network takes
 */
import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type Logger, Secret, utf8 } from '@quorate/base'
import { audited, HsmAuditLog, type HsmProvider, type KeyInfo, openHsm } from '@quorate/hsm'
import { systemClock, systemRandom, systemTimers } from '@quorate/platform'
import { type BareToken, openBare } from './hsm-bare.ts'
import { pkcs11jsToken } from './hsm-pkcs11js.ts'
import { type Bench, type Row, row } from './report.ts'

const SILENT: Logger = { log: () => undefined, with: () => SILENT }

const LIBRARY = '/usr/lib/softhsm/libsofthsm2.so'
const LABEL = 'bench'
const PIN = 'bench-pin-1'
const BLOCKS = 21
const PER_BLOCK = 300
/** At the start of each block, not counted: the other side has had the processor. */
const WARM_UP = 100
const RATE_MS = 1500
const RATE_TURNS = 3
const IN_FLIGHT = 8

export const hsm: Bench = {
  about:
    'SoftHSM through the provider host; baselines: the bare module, and pkcs11js on one thread',
  async *run() {
    if (!existsSync(LIBRARY))
      throw new Error('SoftHSM is not installed (Debian: apt-get install softhsm2)')
    const directory = mkdtempSync(join(tmpdir(), 'quorate-bench-'))
    try {
      initToken(directory)
      yield* measure(directory)
    } finally {
      rmSync(directory, { recursive: true, force: true })
    }
  },
}

function initToken(directory: string): void {
  const configuration = join(directory, 'softhsm2.conf')
  mkdirSync(join(directory, 'tokens'))
  writeFileSync(
    configuration,
    `directories.tokendir = ${join(directory, 'tokens')}\nobjectstore.backend = file\nlog.level = ERROR\n`,
  )
  // The bare module runs in this process, and reads it too.
  process.env['SOFTHSM2_CONF'] = configuration
  const pins = ['--pin', PIN, '--so-pin', 'bench-so-pin-1']
  execFileSync('softhsm2-util', ['--init-token', '--free', '--label', LABEL, ...pins], {
    stdio: 'ignore',
  })
}

async function* measure(directory: string): AsyncIterable<Row> {
  const device = await openHsm(
    { uri: `pkcs11:token=${LABEL}?module-path=${LIBRARY}`, environment: 'development' },
    { clock: systemClock, pin: new Secret(utf8(PIN)) },
  )
  try {
    const { provider } = device
    const keys = {
      ed25519: await provider.generateKey({ label: 'ed25519', algorithm: 'ed25519' }),
      p256: await provider.generateKey({ label: 'p256', algorithm: 'p256' }),
      secp256k1: await provider.generateKey({ label: 'secp256k1', algorithm: 'secp256k1' }),
    }
    const bare = openBare(LIBRARY, LABEL, PIN)
    for (const [algorithm, key] of Object.entries(keys))
      yield* overhead(nameOf(algorithm), provider, key, bare)
    yield* auditedOverhead(directory, provider, keys.ed25519, bare)
    yield await throughput('hsm/softhsm/sign', LIBRARY, provider, keys.ed25519)
    yield await throughput('hsm/softhsm/sign-secp256k1', LIBRARY, provider, keys.secp256k1)
  } finally {
    await device.close()
  }
  yield* slowDevice(directory)
}

const SLOW_US = 2000

async function* slowDevice(directory: string): AsyncIterable<Row> {
  const library = join(directory, 'slow-module.so')
  const source = fileURLToPath(new URL('../../slow-module.c', import.meta.url))
  const defines = [`-DMODULE="${LIBRARY}"`, `-DLATENCY_US=${SLOW_US}`]
  try {
    const options = ['-shared', '-fPIC', '-O1', ...defines]
    execFileSync('cc', [...options, source, '-o', library, '-ldl'], { stdio: 'ignore' })
  } catch {
    process.stderr.write(
      'no C compiler, so no row of a slow device (Debian: apt-get install gcc)\n',
    )
    return
  }
  const device = await openHsm(
    {
      type: 'softhsm',
      environment: 'development',
      library,
      token: { label: LABEL },
      env: [`SOFTHSM2_CONF=${process.env['SOFTHSM2_CONF']}`],
    },
    { clock: systemClock, pin: new Secret(utf8(PIN)) },
  )
  try {
    const key = await device.provider.find({ label: 'ed25519' })
    yield await throughput('hsm/slow/sign', library, device.provider, key)
  } finally {
    await device.close()
  }
}

const nameOf = (algorithm: string): string =>
  algorithm === 'ed25519' ? 'sign' : `sign-${algorithm}`

type Timed = {
  readonly own: number
  readonly bare: number
  /** The median of what each block took beyond its neighbour: a busy moment of the machine meets both. */
  readonly overhead: number
}

/** Microseconds of one signature. */
async function inTurns(sign: () => Promise<unknown>, signBare: () => void): Promise<Timed> {
  const blocks: { readonly own: number; readonly bare: number }[] = []
  for (let block = 0; block < BLOCKS; block++) {
    const own: number[] = []
    const bare: number[] = []
    for (let i = -WARM_UP; i < PER_BLOCK; i++) {
      const start = performance.now()
      await sign()
      if (i >= 0) own.push((performance.now() - start) * 1000)
    }
    for (let i = -WARM_UP; i < PER_BLOCK; i++) {
      const start = performance.now()
      signBare()
      if (i >= 0) bare.push((performance.now() - start) * 1000)
    }
    blocks.push({ own: median(own), bare: median(bare) })
  }
  return {
    own: median(blocks.map(({ own }) => own)),
    bare: median(blocks.map(({ bare }) => bare)),
    overhead: median(blocks.map(({ own, bare }) => own - bare)),
  }
}

const median = (values: readonly number[]): number =>
  values.toSorted((a, b) => a - b)[values.length >> 1]!

const microseconds = (name: string, value: number): Row => ({ ...row(name, value), unit: 'µs' })

async function* overhead(
  name: string,
  provider: HsmProvider,
  key: KeyInfo,
  bare: BareToken,
): AsyncIterable<Row> {
  const message = new Uint8Array(32).fill(7)
  const input = key.algorithm === 'ed25519' ? { message } : { digest: message }
  const signBare = bare.signer(key.label, key.algorithm, message)
  const times = await inTurns(() => provider.sign(key.id, input), signBare)
  yield microseconds(`hsm/softhsm/${name}/bare`, times.bare)
  yield microseconds(`hsm/softhsm/${name}/layer`, times.own)
  yield microseconds(`hsm/softhsm/${name}/overhead`, times.overhead)
}

async function* auditedOverhead(
  directory: string,
  provider: HsmProvider,
  key: KeyInfo,
  bare: BareToken,
): AsyncIterable<Row> {
  const message = new Uint8Array(32).fill(7)
  const log = await HsmAuditLog.open({
    directory: join(directory, 'audit'),
    clock: systemClock,
    timers: systemTimers,
    random: systemRandom,
    logger: SILENT,
  })
  try {
    const withAudit = audited(provider, log, { clock: systemClock })
    const signBare = bare.signer(key.label, key.algorithm, message)
    const times = await inTurns(() => withAudit.sign(key.id, { message }), signBare)
    yield microseconds('hsm/softhsm/sign/overhead-audited', times.overhead)
  } finally {
    await log.close()
  }
}

/** Signatures a second with eight in flight, beside those of pkcs11js in a loop, in turns. */
async function throughput(
  name: string,
  library: string,
  provider: HsmProvider,
  key: KeyInfo,
): Promise<Row> {
  const message = new Uint8Array(32).fill(7)
  const input = key.algorithm === 'ed25519' ? { message } : { digest: message }
  const other = await pkcs11jsToken(library, LABEL, PIN)
  const signOther = other?.signer(key.label, key.algorithm, message)
  const own: number[] = []
  const theirs: number[] = []
  for (let turn = 0; turn <= RATE_TURNS; turn++) {
    const rate = await rateOf(() => provider.sign(key.id, input))
    const rateOfOther = signOther && syncRateOf(signOther)
    if (turn === 0) continue
    own.push(rate)
    if (rateOfOther !== undefined) theirs.push(rateOfOther)
  }
  const value = Math.round(median(own))
  const baseline = Math.round(median(theirs))
  return {
    name: `${name}/throughput-8`,
    value,
    unit: 'per s',
    ...(other !== undefined && { baseline, ratio: Math.round((value / baseline) * 100) / 100 }),
  }
}

async function rateOf(sign: () => Promise<unknown>): Promise<number> {
  const start = performance.now()
  let done = 0
  const loop = async (): Promise<void> => {
    while (performance.now() - start < RATE_MS) {
      await sign()
      done++
    }
  }
  await Promise.all(Array.from({ length: IN_FLIGHT }, loop))
  return (done / (performance.now() - start)) * 1000
}

function syncRateOf(sign: () => void): number {
  const start = performance.now()
  let done = 0
  while (performance.now() - start < RATE_MS) {
    sign()
    done++
  }
  return (done / (performance.now() - start)) * 1000
}
