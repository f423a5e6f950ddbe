/** Backups without a running node: checked by whoever can open them, and made of a node that is stopped. */
import { acceptChain, decodeSignedRecord } from '@quorate/auth'
import { Fault, type Logger } from '@quorate/base'
import { type SignerHostOptions, startSigner, verifyEd25519 } from '@quorate/enclave'
import { loadSigner } from '../load-signer.ts'
import type { LocalNode } from '../local.ts'
import type { BackupRow } from './backup-store.ts'
import { openBackups } from './open.ts'

const SILENT: Logger = { log: () => {}, with: () => SILENT }

const refuse = (): never => {
  throw new Fault('enclave/unknown-call')
}

export type CheckedBackup = {
  readonly nodeId: string
  readonly index: number
  readonly number: number
  readonly digest: Uint8Array
  readonly createdAt: number
  readonly wallets: number
  /** Shows that the file was opened. */
  readonly token: Uint8Array
}

/**
 * Opens a backup in a signer process of its own, and checks every share in it; nothing is kept.
 * @throws enclave/bad-backup, enclave/backup-not-for-key, enclave/backup-unreadable, auth/…
 */
export async function checkBackup(o: {
  readonly environment: SignerHostOptions['environment']
  readonly file: Uint8Array
  /** Of one of the recipients, 32 bytes. */
  readonly secret: Uint8Array
  /** Signed cluster records from number 1, as the operators have them. */
  readonly chain: readonly Uint8Array[]
}): Promise<CheckedBackup> {
  const { environment, file, secret, chain } = o
  const handlers = {
    send: refuse,
    persist: refuse,
    progress: refuse,
    anchored: refuse,
    backupTold: refuse,
    evidence: refuse,
    wake: refuse,
    log: () => ({}),
  }
  const signer = startSigner({ environment, output: 'ignore', handlers })
  try {
    return await signer.calls.checkBackup({ file, secret, chain })
  } finally {
    await signer.stop()
  }
}

/** Makes a backup of a node that does not run. @throws node/not-enrolled, enclave/no-recipients, platform/… */
export async function backupStopped(local: LocalNode, place: string): Promise<BackupRow> {
  const { store, signer } = local
  const chain = await store.clusterChain()
  if (chain.length === 0) throw new Fault('node/not-enrolled')
  const cluster = acceptChain(chain.map(decodeSignedRecord), { verify: verifyEd25519 })
  const { index } = await signer.calls.join({ chain })
  await loadSigner(signer.calls, store, await store.wallets())
  const config = { backup: { place, periodMs: 0 } }
  const backups = await openBackups(config, local, cluster, index, SILENT, () => undefined)
  return backups.make()
}
