/** What accomplices do within their own sessions: lie in what they know of themselves, and mind nothing. */
import { AuxChecks } from '#src/cggmp24/aux/checks.js'
import { PresignChecks } from '#src/cggmp24/presign/checks.js'
import { ItemSigner } from '#src/cggmp24/presign/signer.js'
import type { PublicChecks } from '#src/cggmp24/replay.js'
import { Abort } from '#src/session/abort.js'
import type { PartyId } from '#src/session/party.js'

/**
 * Runs `work` while these parties look at nothing that others send, and stop when they would look at
 * round `until`: accomplices, who do not mind, and whose time is not worth spending.
 */
export function heedless<T>(
  parties: readonly number[],
  work: () => T,
  until: number = Number.POSITIVE_INFINITY,
): T {
  const restore = [PresignChecks, AuxChecks].map(({ prototype }) =>
    ignore(parties, until, prototype),
  )
  try {
    return work()
  } finally {
    for (const each of restore) each()
  }
}

function ignore(parties: readonly number[], until: number, prototype: PublicChecks): () => void {
  const { note, check, checkDirect } = prototype
  const owners = new WeakMap<PublicChecks, PartyId>()
  const isHeedless = (checks: PublicChecks): boolean => parties.includes(owners.get(checks)!)
  prototype.note = function (round, from, body) {
    // Its own broadcast is the first that a session sees.
    if (!owners.has(this)) owners.set(this, from)
    note.call(this, round, from, body)
  }
  prototype.check = function (round, from) {
    if (!isHeedless(this)) check.call(this, round, from)
    else if (round >= until) throw new Abort('threshold/cancelled')
  }
  prototype.checkDirect = function (round, from, to, body) {
    if (!isHeedless(this)) checkDirect.call(this, round, from, to, body)
  }
  return () => Object.assign(prototype, { note, check, checkDirect })
}

/** Runs `work` while what that signer makes in `method` is changed, and is known to it in that form. */
export function cheating<Method extends 'delta' | 'reveal' | 'commitProofs' | 'products', T>(
  by: Readonly<
    Partial<Record<number, (made: ReturnType<ItemSigner[Method]>, signer: ItemSigner) => unknown>>
  >,
  method: Method,
  work: () => T,
): T {
  const signer = ItemSigner.prototype as unknown as Record<string, (...args: unknown[]) => unknown>
  const honest = signer[method]!
  signer[method] = function (this: ItemSigner, ...args) {
    const made = honest.apply(this, args) as ReturnType<ItemSigner[Method]>
    return by[this.self]?.(made, this) ?? made
  }
  try {
    return work()
  } finally {
    signer[method] = honest
  }
}
