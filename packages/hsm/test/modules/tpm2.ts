/**
 * tpm2-pkcs11 on a software TPM: P-256 and RSA; no secp256k1, no Ed25519, no generation of secret
 * keys, no AES-GCM, no wrapping. The module serves one process at a time.
 */
import { once } from 'node:events'
import { mkdirSync } from 'node:fs'
import { type AddressInfo, createServer } from 'node:net'
import { join } from 'node:path'
import { initToken, locate, type Module, type Scope, scratchIn, startDaemon } from './fixture.ts'

const LABEL = 'quorate test'
const SO_PIN = 'battery-staple-9'
const PIN = 'correct-horse-7'
const ATTEMPTS = 5

export async function openTpm2(scope: Scope): Promise<Module> {
  const files = locate('tpm2')
  if ('reason' in files) return { available: false, reason: files.reason }
  const [library, swtpm, manager] = files as readonly [string, string, string]
  const directory = scratchIn(scope)
  const store = join(directory, 'store')
  mkdirSync(store, { mode: 0o700 })
  const bus = await startTpm(scope, [swtpm, manager], directory)
  if (bus === undefined) return { available: false, reason: 'swtpm does not start' }
  const env = {
    TPM2_PKCS11_TCTI: 'tabrmd:bus_type=session',
    DBUS_SESSION_BUS_ADDRESS: bus,
    TPM2_PKCS11_STORE: store,
    TPM2_PKCS11_LOG_LEVEL: '0',
    TSS2_LOG: 'all+none',
  }
  initToken({ library, label: LABEL, soPin: SO_PIN, pin: PIN }, env)
  return {
    available: true,
    library,
    settings: { driver: 'pkcs11', library, profile: 'tpm2', token: { label: LABEL }, env },
    pin: PIN,
    soPin: SO_PIN,
  }
}

/**
 * The TPM, and before it a resource manager, as the kernel is one for a real TPM: the chip has place
 * for a few objects only. It listens on a message bus of its own.
 */
const SCRIPT = `
server="type=tcp,bindaddr=127.0.0.1,port"
"$1" socket --tpm2 --tpmstate "dir=$3" --server "$server=$4" --ctrl "$server=$5" \\
  --flags not-need-init,startup-clear --pid "file=$3/pid" &
tpm=$!
while [ ! -s "$3/pid" ] && kill -0 $tpm 2> /dev/null; do sleep 0.02; done
kill -0 $tpm 2> /dev/null || exit
export DBUS_SESSION_BUS_ADDRESS="unix:path=$3/bus"
dbus-daemon --session --nofork --nopidfile --address="$DBUS_SESSION_BUS_ADDRESS" > /dev/null &
bus=$!
while [ ! -S "$3/bus" ] && kill -0 $bus 2> /dev/null; do sleep 0.02; done
"$2" --session --allow-root --tcti="swtpm:host=127.0.0.1,port=$4" > /dev/null &
manager=$!
owner="org.freedesktop.DBus.NameHasOwner string:com.intel.tss2.Tabrmd"
until dbus-send --session --print-reply --dest=org.freedesktop.DBus / $owner | grep -q true; do
  kill -0 $manager 2> /dev/null || break
  sleep 0.02
done
kill -0 $manager 2> /dev/null && echo ready && cat > /dev/null
kill $manager $bus $tpm 2> /dev/null
wait
`

/**
 * The address of the bus. The TPM listens on two neighbouring ports, as its clients expect: for commands
 * on the first, for control on the second.
 */
async function startTpm(
  scope: Scope,
  programs: readonly [swtpm: string, manager: string],
  directory: string,
): Promise<string | undefined> {
  for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
    const port = await freePort()
    const state = join(directory, `state-${attempt}`)
    mkdirSync(state, { mode: 0o700 })
    const ports = [String(port), String(port + 1)]
    const said = await startDaemon(scope, ['sh', '-c', SCRIPT, 'sh', ...programs, state, ...ports])
    if (said === 'ready') return `unix:path=${join(state, 'bus')}`
  }
  return undefined
}

/** One that is free now; somebody may take it, or the one after it, before the TPM does. */
async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return port
}
