/**
 * Signing from a pool: one round. What the manifest names is set aside with the burning of the session,
 * and spent before a share is made of it; a share leaves once the session is burnt on disk.
 */
import { Fault, type Secret } from '@quorate/base'
import type { SignItem } from '@quorate/chains'
import { failpoint } from '@quorate/platform'
import {
  beginOnlineSigning,
  digestOf,
  encodePresignature,
  type Manifest,
  type PublicPresignature,
  partiesOf,
  sessionId,
  startSigning,
} from '@quorate/threshold'
import type { EvidenceFacts } from '../../evidence-file.ts'
import type { Plan } from '../participation.ts'
import type { PlanContext } from '../plan-context.ts'
import { withOutput } from '../programs-cggmp24.ts'
import { openShare } from '../shares.ts'
import { messageOf, walletFacts } from '../signed-items.ts'
import type { StoredWallet } from '../wallets.ts'

/** How long the other signers have for their shares. */
const POOLED_MS = 10_000

type Signatures = readonly Uint8Array[]
/** The part of a signing plan that depends on what is signed with. */
type PooledSigning = Pick<
  Plan<Signatures>,
  'budgetMs' | 'startsAlone' | 'atBurn' | 'facts' | 'release'
> & { begin(): ReturnType<typeof startSigning> }

/** @throws enclave/bad-prepare where there is not one for each item, or one is a digest that somebody else made */
export function pooledSigning(
  context: PlanContext,
  manifest: Manifest,
  stored: StoredWallet,
  signed: readonly SignItem[],
  path: readonly number[],
): PooledSigning {
  if (manifest.pooled?.length !== signed.length) throw new Fault('enclave/bad-prepare')
  const { pools } = context
  const signing =
    stored.record.key.protocol === 'frost'
      ? fromNonces(context, manifest, stored, signed)
      : fromPresignatures(context, manifest, stored, signed, path)
  return {
    budgetMs: POOLED_MS,
    startsAlone: true,
    atBurn() {
      pools.reserve(manifest)
      return []
    },
    ...signing,
    release() {
      pools.abandon(manifest)
      signing.release()
    },
  }
}

type Source = Pick<PooledSigning, 'begin'> & { readonly facts: EvidenceFacts; release(): void }

function fromNonces(
  { vault, peers, ports, pools }: PlanContext,
  manifest: Manifest,
  stored: StoredWallet,
  signed: readonly SignItem[],
): Source {
  let share: Secret<Uint8Array> | undefined
  const items = signed.map(({ message, tweak }) => ({
    message,
    tweaks: tweak === undefined ? [] : [tweak],
  }))
  return {
    facts: { wallet: walletFacts(stored), items: items.map((item) => ({ ...item, path: [] })) },
    begin() {
      const opened = openShare(vault, peers.self, stored)
      share = opened.share
      const preprocessed = pools.spendNonces(manifest)
      failpoint('enclave/pool/nonces-spent')
      try {
        const signers = partiesOf(manifest)
        const { key } = opened
        const { random } = ports
        return startSigning({ self: peers.self, signers, key, share, random, items, preprocessed })
      } catch (error) {
        for (const { nonces } of preprocessed) nonces[Symbol.dispose]()
        throw error
      }
    },
    release: () => share?.[Symbol.dispose](),
  }
}

function fromPresignatures(
  { peers, pools }: PlanContext,
  manifest: Manifest,
  stored: StoredWallet,
  signed: readonly SignItem[],
  path: readonly number[],
): Source {
  const chainCode = stored.record.key.chainCode ?? new Uint8Array()
  const messages = signed.map((item) => {
    const message = messageOf(item)
    // Digests of others are signed by sessions that fix them before there is a nonce.
    if (message.kind === 'prehash') throw new Fault('enclave/bad-prepare')
    return message
  })
  let used: readonly PublicPresignature[] = []
  return {
    facts: {
      wallet: walletFacts(stored),
      items: messages.map((message) => ({ message: digestOf(message), tweaks: [], path })),
      get presignatures() {
        return used.map(encodePresignature)
      },
    },
    begin() {
      const presignatures = pools.spendPresignatures(manifest)
      failpoint('enclave/pool/presignatures-spent')
      used = presignatures.map((each) => each.public)
      try {
        const begun = beginOnlineSigning({
          sid: sessionId(manifest),
          signers: partiesOf(manifest),
          self: peers.self,
          items: messages.map((message, i) => {
            const presignature = presignatures[i]!
            return { kind: 'derived' as const, presignature, message, chainCode, path }
          }),
        })
        return withOutput(begun, (signatures) => signatures.map(({ bytes }) => bytes))
      } catch (error) {
        for (const each of presignatures) each[Symbol.dispose]()
        throw error
      }
    },
    release: () => undefined,
  }
}
