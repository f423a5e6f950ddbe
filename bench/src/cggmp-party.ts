/**
 * One party of a measured session, in a process of its own: runs the session driver on what its parent
 * brings it, and says how much processor time each phase took.
 */
import { webcrypto } from 'node:crypto'
import type { Random } from '@quorate/base'
import { chooseBackends } from '@quorate/math/native'
import {
  beginAux,
  beginEcdsaKeygen,
  beginPresign,
  type LevelId,
  levelOf,
  type Outgoing,
  type PartyId,
  Session,
  type Step,
} from '@quorate/threshold'
import { presignOptions, testPrimes, testWallet } from '@quorate/threshold/testing'

export type Phase = 'keygen' | 'aux' | 'presign'
export type PartyTask = {
  readonly kind: 'begin'
  readonly phase: Phase
  readonly level: LevelId
  readonly self: PartyId
  readonly parties: readonly PartyId[]
  readonly threshold: number
  readonly holders: number
  readonly batch: number
  /** 32 bytes. */
  readonly sid: Uint8Array
}
export type ToParty =
  | PartyTask
  | { readonly kind: 'message'; readonly from: PartyId; readonly message: Outgoing }
export type FromParty =
  | { readonly kind: 'ready' }
  | { readonly kind: 'messages'; readonly messages: readonly Outgoing[] }
  | { readonly kind: 'done'; readonly cpuMs: number; readonly heapBytes: number }

const random: Random = { bytes: (length) => webcrypto.getRandomValues(new Uint8Array(length)) }
const wallets = new Map<string, ReturnType<typeof testWallet>>()

function walletOf({ level, threshold, holders }: PartyTask): ReturnType<typeof testWallet> {
  const name = `${level}/${threshold}/${holders}`
  const wallet = wallets.get(name) ?? testWallet(levelOf(level), threshold, holders, 'bench')
  wallets.set(name, wallet)
  return wallet
}

function firstStep(task: PartyTask): Step<unknown> {
  const { self, parties, sid, threshold, batch } = task
  const level = levelOf(task.level)
  const facts = { level, sid, parties, self, random }
  switch (task.phase) {
    case 'keygen':
      return beginEcdsaKeygen({ ...facts, threshold, aux: new Uint8Array(32) })
    case 'aux': {
      const [p, q, pHat, qHat] = testPrimes(level).slice(4 * (self - 1), 4 * self)
      return beginAux({ ...facts, primes: [p!, q!, pHat!, qHat!] })
    }
    case 'presign': {
      const items = Array.from({ length: batch }, () => ({ path: [] }))
      const options = presignOptions(walletOf(task), self, { sid, signers: parties, items })
      return beginPresign({ ...options, random })
    }
  }
}

let session: Session<unknown> | undefined
let startedAt = process.cpuUsage()

const tell = (message: FromParty): void => {
  process.send!(message)
}

function after(messages: readonly Outgoing[]): void {
  if (messages.length > 0) tell({ kind: 'messages', messages })
  const state = session!.state
  if (state.kind === 'aborted') throw state.abort
  if (state.kind !== 'done') return
  session = undefined
  const { user, system } = process.cpuUsage(startedAt)
  tell({ kind: 'done', cpuMs: (user + system) / 1000, heapBytes: process.memoryUsage().heapUsed })
}

await chooseBackends()
process.on('message', (message: ToParty) => {
  if (message.kind === 'begin') {
    const { parties, self, sid } = message
    if (message.phase === 'presign') walletOf(message)
    startedAt = process.cpuUsage()
    session = new Session({
      sid,
      protocol: 'cggmp24',
      self,
      parties,
      first: firstStep(message),
      deadline: Number.POSITIVE_INFINITY,
      readOriginal: () => undefined,
    })
    after(session.begin())
    return
  }
  if (session === undefined) return
  const { round, kind, body } = message.message
  after(
    session.receive({
      from: message.from,
      round,
      kind,
      // The driver overwrites what it was given.
      body: body.slice(),
      original: new Uint8Array(),
    }),
  )
})
tell({ kind: 'ready' })
