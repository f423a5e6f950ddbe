/**
 * A provider whose every operation is written down, and whose results leave only once that is
 * confirmed. Questions about the provider itself (`info`, `health`), listening and `close` are no operations.
 */
import { type Clock, Fault, isFault, wipe } from '@quorate/base'
import type { Capabilities, HsmProvider, KeyId } from '../provider.ts'
import type { AuditContext, HsmAuditSink } from './record.ts'

type Everything = HsmProvider & Capabilities[keyof Capabilities]
type Method = KeysOfUnion<Everything>
type KeysOfUnion<T> = T extends unknown ? keyof T : never

export type AuditedBy = AuditContext & {
  readonly clock: Clock
  /** Name of the device. */
  readonly device?: string | undefined
}

type Subject = (args: readonly unknown[], result: unknown) => unknown

const first: Subject = ([id]) => id
const made: Subject = (_args, result) => (result as { id?: unknown } | undefined)?.id
const requested =
  (at: number): Subject =>
  (args, result) =>
    made(args, result) ?? (args[at] as { id?: unknown } | undefined)?.id
const none: Subject = () => undefined

/** Which key each operation is about. Operations that a provider does not have are not audited. */
const SUBJECTS: {
  readonly [M in Exclude<Method, 'info' | 'health' | 'onTamper' | 'close'>]: Subject
} = {
  generateKey: requested(0),
  generateWrappableKey: requested(0),
  makeWrappingKey: requested(0),
  find: requested(0),
  list: none,
  publicKey: first,
  sign: first,
  verify: first,
  encrypt: first,
  decrypt: first,
  hmac: first,
  random: none,
  destroy: first,
  wrapKey: first,
  unwrapKey: requested(2),
  attestKey: first,
  importKey: requested(0),
  deriveKey: requested(2),
  tamperEvents: none,
}

type Call = (...args: readonly unknown[]) => Promise<unknown>

/**
 * `provider` with every operation audited, its capabilities included, as done for whom `by` names. An
 * operation whose record is not confirmed fails with hsm/audit-unavailable, and its result is wiped; what it changed in the
 * device stays.
 */
export function audited<Provider extends HsmProvider>(
  provider: Provider,
  sink: HsmAuditSink,
  by: AuditedBy,
): Provider {
  const methods = new Map<PropertyKey, Call>()
  for (const [operation, subject] of Object.entries(SUBJECTS)) {
    const method = provider[operation as keyof Provider]
    if (typeof method === 'function')
      methods.set(operation, recorded(operation, subject, method.bind(provider) as Call, sink, by))
  }
  return new Proxy(provider, {
    get(target, name) {
      const method = methods.get(name)
      if (method !== undefined) return method
      // Bound, because private fields are not those of the proxy.
      const value: unknown = Reflect.get(target, name, target)
      return typeof value === 'function' ? (value.bind(target) as unknown) : value
    },
  })
}

const recorded =
  (
    operation: string,
    subject: Subject,
    call: Call,
    sink: HsmAuditSink,
    { clock, ...by }: AuditedBy,
  ): Call =>
  async (...args) => {
    const work = call(...args)
    const [outcome] = await Promise.allSettled([work])
    const result = outcome.status === 'fulfilled' ? outcome.value : undefined
    const key = subject(args, result)
    try {
      await sink.append({
        ...by,
        time: clock.now(),
        operation,
        ...(typeof key === 'string' ? { key: key as KeyId } : {}),
        ...(outcome.status === 'fulfilled'
          ? { result: 'done' }
          : { result: 'failed', code: codeOf(outcome.reason) }),
      })
    } catch (cause) {
      wipeResult(result)
      throw new Fault('hsm/audit-unavailable', { cause })
    }
    return work
  }

const codeOf = (error: unknown): string => (isFault(error) ? error.code : 'unknown')

/** Of results only those with bytes in them are secret, or worth something: plain values and records of these. */
function wipeResult(result: unknown): void {
  if (result instanceof Uint8Array) wipe(result)
  else if (typeof result === 'object' && result !== null)
    for (const value of Object.values(result)) if (value instanceof Uint8Array) wipe(value)
}
