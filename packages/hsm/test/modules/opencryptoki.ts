/**
 * opencryptoki's software token: RSA, AES without GCM, no curves, PINs of 4 to 8 characters.
 *
 * It wants a daemon, started by root, of which a machine can have one. So ours runs in a mount
 * namespace in which its configuration lies over the real one, holds a lock that others wait for,
 * and gives its token a directory of its own. It ends, and cleans up, when its stdin does: also
 * after a test process that was killed.
 */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { initToken, locate, type Module, type Scope, scratchIn, startDaemon } from './fixture.ts'

const LABEL = 'quorate test'
const DELIVERED_SO_PIN = '87654321'
const SO_PIN = '72727272'
const PIN = '31415926'

const LOCK = '/var/lock/quorate-opencryptoki.lock'
const CONFIGURATION = `version opencryptoki-3.1\nslot 0\n{\nstdll = libpkcs11_sw.so\ntokname = quorate-test\n}\n`

/** What the daemon and the module make for this one token, and nothing else. */
const LEFT_OVER = [
  '/var/lib/opencryptoki/quorate-test',
  '/var/lock/opencryptoki/quorate-test',
  '/dev/shm/var.lib.opencryptoki.quorate-test',
].join(' ')

// In the foreground the daemon is a child that can be waited for. It does not heed SIGTERM while
// somebody is connected, and does not remove its shared memory on SIGKILL.
const SCRIPT = `
pid=/var/run/pkcsslotd.pid
socket=/var/run/pkcsslotd.socket
if [ -e "$pid" ] && kill -0 "$(cat "$pid")" 2> /dev/null
then echo 'a pkcsslotd of this machine is running, and there can be only one'; exit; fi
rm -rf ${LEFT_OVER} "$socket"
mount --bind "$2" /etc/opencryptoki/opencryptoki.conf || exit
"$1" -f &
daemon=$!
while [ ! -S "$socket" ] && kill -0 "$daemon"; do sleep 0.02; done
if ! kill -0 "$daemon"; then echo 'its daemon does not start'; exit; fi
echo ready
cat > /dev/null
memory=$(ipcs -mp | awk -v daemon="$daemon" '$3 == daemon { print $1 }')
kill -KILL "$daemon"
wait "$daemon"
for id in $memory; do ipcrm -m "$id"; done
rm -rf ${LEFT_OVER} "$pid" "$socket"
`

export async function openOpencryptoki(scope: Scope): Promise<Module> {
  const files = locate('opencryptoki')
  if ('reason' in files) return { available: false, reason: files.reason }
  if (process.getuid?.() !== 0)
    return { available: false, reason: 'its daemon pkcsslotd must be started by root' }
  const [library, daemon] = files as readonly [string, string]
  const said = await startSlotDaemon(scope, daemon)
  if (said !== 'ready') return { available: false, reason: said }
  initToken({ library, label: LABEL, soPin: SO_PIN, pin: PIN, deliveredSoPin: DELIVERED_SO_PIN })
  return {
    available: true,
    library,
    settings: {
      driver: 'pkcs11',
      library,
      profile: 'opencryptoki',
      token: { label: LABEL },
      env: {},
    },
    pin: PIN,
    soPin: SO_PIN,
  }
}

/** `ready`, or why it is not. */
function startSlotDaemon(scope: Scope, daemon: string): Promise<string> {
  const configuration = join(scratchIn(scope), 'opencryptoki.conf')
  writeFileSync(configuration, CONFIGURATION, { mode: 0o644 })
  const inside = ['sh', '-c', SCRIPT, 'sh', daemon, configuration]
  return startDaemon(scope, ['flock', '--wait', '120', LOCK, 'unshare', '--mount', ...inside])
}
