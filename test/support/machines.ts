/**
 * Machines on one machine: each a network namespace with an address of its own on one bridge, a user
 * and a home directory. Two commands are the test's own: `scp FILE MACHINE:` hands a file over when the step
 * is done, and what went where is written down; `sudo systemctl` starts and stops what the unit of systemd
 * would, as that user in that home. Needs root, `ip` and `setpriv`.
 */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import {
  accessSync,
  chmodSync,
  chownSync,
  constants,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'

export type MachineSpec = { readonly name: string; readonly address: string }
type Machine = MachineSpec & {
  readonly home: string
  readonly user: number
  /** Name of its network namespace. */
  readonly space: string
  service: ChildProcess | undefined
}
export type Handover = { readonly file: string; readonly from: string; readonly to: string }

const FIRST_USER = 61_001
/** Where the project is seen from within: the real place may be closed to other users. */
const MOUNTED = '/mnt'
const OUTBOX = '.outbox'
const ASKED_OF_SYSTEMD = '.systemctl'

const COMMANDS = {
  quorate: `exec "${process.execPath}" ${MOUNTED}/apps/cli/bin/quorate.mjs "$@"`,
  scp: `to="$HOME/${OUTBOX}/\${2%:}"; mkdir -p "$to" && cp "$1" "$to/"`,
  sudo: 'exec "$@"',
  systemctl: `echo "$@" >> "$HOME/${ASKED_OF_SYSTEMD}"`,
}

/** Why there can be no machines here, or nothing. */
export function whyNoMachines(): string | undefined {
  if (process.getuid?.() !== 0) return 'network namespaces take root'
  try {
    accessSync(process.execPath, constants.X_OK)
    execFileSync('setpriv', ['--version'], { stdio: 'ignore' })
    const space = `quorate-try-${process.pid}`
    execFileSync('ip', ['netns', 'add', space], { stdio: 'ignore' })
    execFileSync('ip', ['netns', 'del', space], { stdio: 'ignore' })
  } catch {
    return 'no network namespaces can be made here (Debian: apt-get install iproute2)'
  }
  return undefined
}

export class Machines {
  readonly handovers: Handover[] = []
  readonly #root = mkdtempSync(join(tmpdir(), 'quorate-machines-'))
  readonly #project: string
  readonly #unit: string
  readonly #bridge = `qbr-${process.pid}`
  readonly #machines: readonly Machine[]

  /** `project`: the root of the source tree. `unit`: the file of the systemd unit, from there. */
  constructor(project: string, unit: string, specs: readonly MachineSpec[]) {
    this.#project = project
    this.#unit = readFileSync(join(project, unit), 'utf8')
    chmodSync(this.#root, 0o755)
    const commands = join(this.#root, 'bin')
    mkdirSync(commands)
    for (const [name, line] of Object.entries(COMMANDS))
      writeFileSync(join(commands, name), `#!/bin/sh\n${line}\n`, { mode: 0o755 })
    this.#machines = specs.map((spec, i) => {
      const user = FIRST_USER + i
      const home = join(this.#root, spec.name)
      mkdirSync(home, { mode: 0o700 })
      chownSync(home, user, user)
      return { ...spec, home, user, space: `q-${process.pid}-${i}`, service: undefined }
    })
    this.#wire()
  }

  /** One bridge in a namespace of its own, so that nothing of this machine's network changes. */
  #wire(): void {
    const ip = (...args: readonly string[]): void => {
      execFileSync('ip', args, { stdio: ['ignore', 'ignore', 'inherit'] })
    }
    ip('netns', 'add', this.#bridge)
    ip('-n', this.#bridge, 'link', 'add', 'br0', 'type', 'bridge')
    ip('-n', this.#bridge, 'link', 'set', 'br0', 'up')
    this.#machines.forEach(({ space, address }, i) => {
      ip('netns', 'add', space)
      const port = `port${i}`
      ip('-n', this.#bridge, 'link', 'add', port, 'type', 'veth', 'peer', 'eth0', 'netns', space)
      ip('-n', this.#bridge, 'link', 'set', port, 'master', 'br0', 'up')
      ip('-n', space, 'addr', 'add', `${address}/24`, 'dev', 'eth0')
      ip('-n', space, 'link', 'set', 'lo', 'up')
      ip('-n', space, 'link', 'set', 'eth0', 'up')
    })
  }

  homeOf(name: string): string {
    return this.#machine(name).home
  }

  #machine(name: string): Machine {
    const machine = this.#machines.find((each) => each.name === name)
    if (machine === undefined) throw new Error(`there is no machine ${name}`)
    return machine
  }

  #spawn({ home, user, space }: Machine, script: string, output: 'pipe'): ChildProcess {
    const path = [
      join(this.#root, 'bin'),
      dirname(process.execPath),
      '/usr/sbin:/usr/bin:/sbin:/bin',
    ]
    const env = { HOME: home, PATH: path.join(':'), LANG: 'C.UTF-8' }
    const enter = `mount --bind "${this.#project}" ${MOUNTED} && cd "${home}" && exec setpriv --reuid=${user} --regid=${user} --clear-groups --no-new-privs --inh-caps=-all bash -euo pipefail -c "$1"`
    return spawn('ip', ['netns', 'exec', space, 'sh', '-c', enter, 'sh', script], {
      env,
      stdio: ['ignore', output, output],
      detached: true,
    })
  }

  /** Runs a script on a machine, then hands over what it wants copied and does what it asked of systemd. */
  async run(name: string, script: string): Promise<string> {
    const machine = this.#machine(name)
    // What one block exports the next one has, as in a shell that stays open.
    const kept = `set -a; [ -f .env ] && . ./.env; set +a\n${script}\nexport -p | grep ' QUORATE_' > .env || true`
    const child = this.#spawn(machine, kept, 'pipe')
    let text = ''
    for (const stream of [child.stdout, child.stderr])
      stream?.on('data', (chunk: Buffer) => {
        text += chunk.toString('utf8')
      })
    const [code] = (await once(child, 'close')) as [number | null]
    if (code !== 0) throw new Error(`on ${name}, exit code ${code}:\n${script}\n${text}`)
    this.#deliver(machine)
    await this.#obey(machine)
    return text
  }

  #deliver(from: Machine): void {
    const outbox = join(from.home, OUTBOX)
    if (!existsSync(outbox)) return
    for (const name of readdirSync(outbox)) {
      const to = this.#machine(name)
      for (const file of readdirSync(join(outbox, name))) {
        const place = join(to.home, file)
        cpSync(join(outbox, name, file), place)
        chownSync(place, to.user, to.user)
        this.handovers.push({ file, from: from.name, to: name })
      }
    }
    rmSync(outbox, { recursive: true })
  }

  async #obey(machine: Machine): Promise<void> {
    const asked = join(machine.home, ASKED_OF_SYSTEMD)
    if (!existsSync(asked)) return
    const lines = readFileSync(asked, 'utf8').trim().split('\n')
    rmSync(asked)
    for (const line of lines)
      await (/\bstop\b/.test(line) ? this.#stop(machine) : this.#start(machine))
  }

  async #start(machine: Machine): Promise<void> {
    const command = /^ExecStart=\/usr\/bin\/(.+)$/m.exec(this.#unit)?.[1]
    if (command === undefined) throw new Error('the unit starts nothing')
    const child = this.#spawn(machine, `umask 077; exec ${command}`, 'pipe')
    machine.service = child
    let text = ''
    child.stderr?.on('data', (chunk: Buffer) => {
      text += chunk.toString('utf8')
    })
    const ended = once(child, 'exit').then(() => {
      throw new Error(`${machine.name} did not start:\n${text}`)
    })
    ended.catch(() => undefined)
    await Promise.race([once(child.stdout!, 'data'), ended])
  }

  async #stop(machine: Machine): Promise<void> {
    const { service } = machine
    machine.service = undefined
    if (service === undefined || service.exitCode !== null || service.signalCode !== null) return
    const gone = once(service, 'exit')
    process.kill(service.pid!, 'SIGTERM')
    await gone
  }

  async close(): Promise<void> {
    await Promise.all(this.#machines.map((machine) => this.#stop(machine)))
    for (const space of [this.#bridge, ...this.#machines.map((machine) => machine.space)])
      try {
        execFileSync('ip', ['netns', 'del', space], { stdio: 'ignore' })
      } catch {
        // It was never made.
      }
    rmSync(this.#root, { recursive: true, force: true })
  }
}
