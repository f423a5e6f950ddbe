/**
 * Waits for input without sleeping, for a moment. A thread that sleeps is woken late and with cold caches,
 * which costs a caller who signs one after the other more than the whole way here and back.
 */
import koffi from 'koffi'

/** Longer than a caller takes from one answer to its next request, and short beside any signature. */
const LINGER_MS = 0.05
const POLLIN = 1
/** struct pollfd: an int and two shorts. */
const POLLFD_BYTES = 8

/** A function that returns when the descriptor has something to read or the moment is over; elsewhere than on Linux at once. */
export function lingererAt(fd: number): () => void {
  if (process.platform !== 'linux') return () => undefined
  const poll = koffi
    .load('libc.so.6')
    .func('int poll(void *fds, unsigned long n, int timeout)') as (
    fds: unknown,
    count: number,
    timeoutMs: number,
  ) => number
  const pollfd: unknown = koffi.alloc('uint8_t', POLLFD_BYTES)
  const fields = new Int32Array(koffi.view(pollfd, POLLFD_BYTES))
  const events = new Int16Array(fields.buffer)
  fields[0] = fd
  events[2] = POLLIN
  return () => {
    const end = performance.now() + LINGER_MS
    while (poll(pollfd, 1, 0) === 0 && performance.now() < end);
  }
}
