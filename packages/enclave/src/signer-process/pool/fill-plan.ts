/**
 * Sessions that fill the pools: the signers of one set make nonces or presignatures together, for no
 * request. What they make signs nothing by itself, so nothing has to be allowed; each node sees to it
 * that it is of a wallet it holds and that there is room.
 */
import { equalBytes, Fault, type Secret } from '@quorate/base'
import {
  decodePresignature,
  type Manifest,
  type PreprocessedNonces,
  partiesOf,
  receivePresignature,
  startPreprocessing,
} from '@quorate/threshold'
import { openAux } from '../aux-store.ts'
import type { Plan } from '../participation.ts'
import type { PlanContext } from '../plan-context.ts'
import type { MadePresignature } from '../programs-cggmp24.ts'
import { openEncodedShare, openShare } from '../shares.ts'
import { walletFacts } from '../signed-items.ts'
import type { StoredWallet } from '../wallets.ts'
import { kindOf } from './pools.ts'

const NONCES_MS = 10_000
/** One presignature takes a second of computing at each signer, or several on a slow machine. */
const PRESIGN_MS = 60_000
const PRESIGN_ITEM_MS = 10_000
/** Most that one session makes: what stands between messages must not keep a signature waiting. */
const MAX_FILL = { nonces: 64, presignatures: 16 } as const

/** @throws enclave/bad-prepare, enclave/busy where there is no room, enclave/unknown-wallet, enclave/unknown-aux */
export function fillPlan(context: PlanContext, manifest: Manifest): Plan {
  const stored = context.wallets.active(manifest.wallet)
  const { key } = stored.record
  const { count = 0 } = manifest
  const kind = kindOf(manifest)
  const isOfWallet =
    manifest.protocol === key.protocol &&
    manifest.suite === key.suite &&
    manifest.threshold === key.threshold &&
    manifest.generation === key.generation &&
    manifest.signers.length === key.threshold &&
    equalBytes(manifest.policyHash, context.policies.of(stored.record).hash)
  if (!isOfWallet || count > MAX_FILL[kind]) throw new Fault('enclave/bad-prepare')
  if (!context.pools.hasRoom(kind, count)) throw new Fault('enclave/busy')
  return kind === 'nonces'
    ? noncesPlan(context, manifest, stored, count)
    : presignPlan(context, manifest, stored, count)
}

function noncesPlan(
  { vault, peers, ports, pools }: PlanContext,
  manifest: Manifest,
  stored: StoredWallet,
  count: number,
): Plan<readonly PreprocessedNonces[]> {
  let share: Secret<Uint8Array> | undefined
  return {
    budgetMs: NONCES_MS,
    title: 'making nonces',
    // Commitments to fresh nonces give nothing away, whoever else takes part.
    startsAlone: true,
    begin() {
      const opened = openShare(vault, peers.self, stored)
      share = opened.share
      const signers = partiesOf(manifest)
      const { key } = opened
      return startPreprocessing({
        self: peers.self,
        signers,
        key,
        share,
        random: ports.random,
        count,
      })
    },
    finish(made) {
      pools.addNonces(manifest, made)
      return Promise.resolve(undefined)
    },
    release: () => share?.[Symbol.dispose](),
  }
}

function presignPlan(
  { vault, peers, auxes, pools }: PlanContext,
  manifest: Manifest,
  stored: StoredWallet,
  count: number,
): Plan<readonly MadePresignature[]> {
  const aux = auxes.find(stored.record.key.aux)
  return {
    budgetMs: PRESIGN_MS + PRESIGN_ITEM_MS * count,
    title: 'presigning',
    facts: { wallet: walletFacts(stored), aux: aux.public },
    program: {
      name: 'cggmp24-presign',
      input: () => ({
        share: openEncodedShare(vault, peers.self, stored),
        aux: openAux(vault, aux),
        count,
      }),
    },
    finish(made) {
      const presignatures = made.map(({ public: of, secrets }) => {
        using moved = secrets
        return receivePresignature(decodePresignature(of), peers.self, moved)
      })
      pools.addPresignatures(manifest, presignatures)
      return Promise.resolve(undefined)
    },
  }
}
