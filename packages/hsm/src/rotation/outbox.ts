/**
 * What consumers outside must learn of a rotation, kept until it was delivered: which key comes, signs, goes.
 * A restart loses none; a receiver that stays away for long loses the oldest. Sent twice a notice has the same
 * id. It holds public keys and names only.
 */
import { array, type Codec, field, int, type Logger, oneOf, record, text } from '@quorate/base'
import type { Notice, Notifier } from '../monitoring/notify.ts'
import type { HsmState } from '../state/store.ts'

const STATE = 'rotation-notices'
const MAX_NOTICES = 256

export type RotationNotice = {
  readonly id: string
  readonly kind: 'rotation.announced' | 'rotation.completed' | 'rotation.retired'
  readonly component: string
  readonly time: number
  readonly role: string
  /** The key that it is about, and its public key in hex. */
  readonly key: string
  readonly publicKey: string
  /** The key in whose place it comes, or the one that came in its place. */
  readonly other: string
}

const codec: Codec<readonly RotationNotice[]> = array(
  record({
    id: field(0, text(64)),
    kind: field(1, oneOf('rotation.announced', 'rotation.completed', 'rotation.retired')),
    component: field(2, text(200)),
    time: field(3, int()),
    role: field(4, text(64)),
    key: field(5, text(64)),
    publicKey: field(6, text(66)),
    other: field(7, text(64)),
  }),
  { max: MAX_NOTICES },
)

export class Outbox {
  readonly #state: HsmState
  readonly #notifier: Notifier
  readonly #logger: Logger | undefined
  #sending: Promise<void> | undefined

  constructor(state: HsmState, notifier: Notifier, logger: Logger | undefined) {
    this.#state = state
    this.#notifier = notifier
    this.#logger = logger
  }

  /** Keeps it and begins to deliver; one that is kept already is not kept twice. */
  async add(notice: RotationNotice): Promise<void> {
    let lost = 0
    await this.#state.update(STATE, codec, (old = []) => {
      if (old.some(({ id }) => id === notice.id)) return old
      const all = [...old, notice]
      lost = Math.max(0, all.length - MAX_NOTICES)
      return all.slice(lost)
    })
    if (lost > 0) this.#logger?.log('error', 'hsm/notification-lost', { kind: notice.kind, lost })
    this.deliver()
  }

  /** Tries to deliver what waits, in its order. Never throws; what fails waits for the next call. */
  deliver(): void {
    this.#sending ??= this.#deliver().finally(() => {
      this.#sending = undefined
    })
  }

  /** Resolves once no delivery is under way. */
  async settled(): Promise<void> {
    await this.#sending
  }

  async #deliver(): Promise<void> {
    try {
      for (let [first] = this.#waiting(); first !== undefined; [first] = this.#waiting()) {
        const { id } = first
        await this.#notifier.notify(noticeOf(first))
        await this.#state.update(STATE, codec, (old = []) => old.filter((each) => each.id !== id))
      }
    } catch {
      // Whoever sends has logged it.
    }
  }

  #waiting(): readonly RotationNotice[] {
    return this.#state.read(STATE, codec) ?? []
  }
}

const noticeOf = ({ id, kind, component, time, ...details }: RotationNotice): Notice => ({
  id,
  kind,
  severity: 'info',
  component,
  time,
  details,
})
