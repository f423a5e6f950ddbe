/** Ties a process to its parent and closes its memory, where the kernel offers that. */
import koffi from 'koffi'

/** <linux/prctl.h> */
const PR_SET_PDEATHSIG = 1
const PR_SET_DUMPABLE = 4
const SIGKILL = 9

/**
 * On Linux: the kernel kills this process when its parent dies, whatever its threads hang in; it leaves
 * no core file, and other processes of the user cannot read its memory or attach to it. The provider
 * host does not depend on the first: its main thread sees the parent's descriptor close.
 */
export function confineProcess(): void {
  if (process.platform !== 'linux') return
  const prctl = koffi
    .load(null)
    .func('prctl', 'int', ['int', 'ulong', 'ulong', 'ulong', 'ulong']) as (
    option: number,
    ...values: readonly [number, number, number, number]
  ) => number
  prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0)
  prctl(PR_SET_DUMPABLE, 0, 0, 0, 0)
}
