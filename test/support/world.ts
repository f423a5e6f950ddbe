/** A cluster of three with node 3 in an attacker's hands, the same to tests in memory and over processes. */
import type { RequestBody, SignedRequest } from '@quorate/api'
import type { Id } from '@quorate/base'
import type { HostileNode } from '@quorate/enclave/testing'

/** The end of a session that failed, as an honest node saw it. */
export type Verdict = { readonly code: string; readonly culprits: readonly number[] }

export type TestWallet = {
  readonly wallet: Id<'wal'>
  readonly generation: number
  readonly policyHash: Uint8Array
  readonly groupKey: Uint8Array
}
export type Signed = { readonly signers: readonly number[]; readonly attempts: number }
export type Honest = 1 | 2
export const HONEST = [1, 2] as const

export type Snapshot = {
  /** Ends the node as a loss of power would, puts the copy back, and starts it. */
  restore(): Promise<void>
}

export type World = {
  readonly hostile: HostileNode
  /** Made by node 1 unless told. @throws what the client gets */
  createWallet(o?: { threshold?: number; at?: Honest }): Promise<TestWallet>
  /** A transfer, each time another. */
  sign(wallet: TestWallet, o?: { at?: Honest }): Promise<Signed>
  walletBody(threshold?: number): RequestBody
  signBody(wallet: TestWallet): RequestBody
  /** The request as an enrolled client signs it. */
  request(body: RequestBody): Promise<SignedRequest>
  verdicts(node: Honest): readonly Verdict[]
  /** What the node logged as warnings and errors, a line each. */
  warnings(node: Honest): readonly string[]
  /** Forgets what the nodes logged so far. */
  forget(): void
  /** Codes of envelopes, manifests and peers that the node refused. */
  refusals(node: Honest): readonly string[]
  /** Ids of the wallets that the node holds whole. */
  wallets(node: Honest): Promise<readonly string[]>
  /** Delivers, and lets time pass, until it is so. */
  eventually(is: () => boolean | Promise<boolean>): Promise<void>
  /** Keeps a copy of all that the node has on disk, its HSM included. */
  snapshot(node: Honest): Snapshot
  [Symbol.asyncDispose](): Promise<void>
}
