/** The judges of the sessions of nodes: each from facts that are checked here or bound by what the accused signed. */
import type { AcceptedRecord, EpochRecord } from '@quorate/auth'
import { equalBytes, Fault, isFault } from '@quorate/base'
import {
  AuxChecks,
  auxDigest,
  decodeAuxKeys,
  decodePresignature,
  dkgParameters,
  dkgSuite,
  type Judge,
  judgeDkg,
  KeygenChecks,
  levelOf,
  type Manifest,
  OnlineChecks,
  type OnlineFacts,
  type PartyId,
  PresignChecks,
  type PublicChecks,
  parseEcdsaKey,
  parseWalletKey,
  partiesOf,
  recover,
  replayJudge,
  sessionId,
  signingJudge,
  type WalletKey,
} from '@quorate/threshold'
import type { EvidenceFacts } from './evidence-file.ts'
import { readReceipt } from './signer-process/receipts.ts'
import { confirmedBy, decodeWallet } from './wallet-record.ts'

export type JudgedCase = {
  readonly manifest: Manifest
  /** Verified. */
  readonly epochs: ReadonlyMap<PartyId, EpochRecord>
  readonly facts: EvidenceFacts
}

/**
 * The judge of a session of this purpose. @throws threshold/evidence-rejected where there is none, or
 * the facts are not those of the session; what reading them throws
 */
export function judgeOf(of: JudgedCase): Judge {
  return of.manifest.protocol === 'cggmp24' ? ecdsaJudge(of) : frostJudge(of)
}

function ecdsaJudge({ manifest, facts }: JudgedCase): Judge {
  const level = levelOf(manifest.suite)
  const [sid, parties] = [sessionId(manifest), partiesOf(manifest)]
  const { threshold, aux } = manifest
  const judge = (make: () => PublicChecks): Judge =>
    replayJudge({ sid, protocol: manifest.protocol, parties }, make)
  switch (manifest.purpose) {
    case 'aux':
      return judge(() => new AuxChecks({ level, sid, parties }))
    case 'keygen':
      return judge(() => new KeygenChecks({ level, sid, parties, threshold, aux: aux ?? absent() }))
    case 'refresh': {
      const refreshes = parseEcdsaKey(keyOf(facts, manifest, manifest.generation - 1))
      return judge(
        () => new KeygenChecks({ level, sid, parties, threshold, refreshes, aux: aux ?? absent() }),
      )
    }
    case 'pool':
    case 'sign': {
      const wallet = keyOf(facts, manifest, manifest.generation)
      if (manifest.pooled !== undefined)
        return judge(
          () => new OnlineChecks({ sid, signers: parties, items: pooled(facts, wallet) }),
        )
      const { keys } = decodeAuxKeys(facts.aux ?? absent())
      const digest = auxDigest(level, keys)
      if (wallet.aux === undefined || !equalBytes(digest, wallet.aux))
        reject('the auxiliary information is not the one of the wallet')
      const { count } = manifest
      const items =
        count === undefined
          ? (facts.items ?? absent()).map(({ message, path }) => ({ path, digest: message }))
          : Array.from({ length: count }, () => ({ path: [] }))
      return judge(
        () =>
          new PresignChecks({
            level,
            sid,
            signers: parties,
            key: parseEcdsaKey(wallet),
            aux: keys,
            items,
          }),
      )
    }
    case 'repair':
      return reject('there is no judge for it')
  }
}

/** What was signed from presignatures. That they are the session's is in the context that the accused signed. */
function pooled(
  { items, presignatures }: EvidenceFacts,
  { chainCode }: WalletKey,
): OnlineFacts['items'] {
  return (items ?? absent()).map(({ message, path }, i) => ({
    kind: 'derived',
    presignature: decodePresignature(presignatures?.[i] ?? absent()),
    message: { kind: 'prehash', digest: message },
    chainCode: chainCode ?? absent(),
    path,
  }))
}

function frostJudge({ manifest, epochs, facts }: JudgedCase): Judge {
  const suite = dkgSuite(manifest.suite)
  const hostKeys = [...epochs.values()].map(({ dkgKeys }) => dkgKeys[suite.group.name])
  if (manifest.purpose === 'keygen') {
    const params = dkgParameters({ suite, threshold: manifest.threshold, hostKeys })
    return judgeDkg({ sid: sessionId(manifest), params })
  }
  if (manifest.purpose !== 'sign') return reject('there is no judge for it')
  const wallet = keyOf(facts, manifest, manifest.generation)
  const { key, commitment } = parseWalletKey(wallet)
  // Receipts confirm the group key; that the shares are those of the nodes is in the certificate.
  const { kind, certificate } = wallet.createdBy
  if (kind !== 'keygen') reject('shares of a refreshed FROST key are not certified by themselves')
  const { params, output } = recover(suite, certificate ?? absent())
  const isCertified =
    commitment.every((element, k) => suite.group.equals(element, output.commitment[k]!)) &&
    [...epochs].every(([party, { dkgKeys }]) =>
      equalBytes(dkgKeys[suite.group.name], params.hostKeys[party - 1] ?? absent()),
    )
  if (!isCertified) reject('the certificate is not that of the wallet')
  return signingJudge({
    key,
    signers: partiesOf(manifest),
    items: (facts.items ?? absent()).map(({ message, tweaks }) => ({ message, tweaks })),
  })
}

/** The key of the wallet and generation that the session was about. */
function keyOf({ wallet }: EvidenceFacts, manifest: Manifest, generation: number): WalletKey {
  const { key } = decodeWallet((wallet ?? absent()).record)
  const isNamed =
    key.wallet === manifest.wallet &&
    key.generation === generation &&
    key.protocol === manifest.protocol &&
    key.suite === manifest.suite &&
    key.threshold === manifest.threshold
  return isNamed ? key : reject('the wallet is not the one of the session')
}

/** Who confirmed the wallet's record under its signature; `undefined` where the session was about none. */
export function confirmersOf(
  { wallet }: EvidenceFacts,
  cluster: AcceptedRecord,
): ReadonlySet<PartyId> | undefined {
  if (wallet === undefined) return undefined
  const { key, sid } = decodeWallet(wallet.record)
  const confirmed = confirmedBy(key)
  return new Set(
    wallet.receipts.flatMap((encoded) => {
      try {
        const { party, receipt } = readReceipt(encoded, cluster)
        const isFor =
          receipt.wallet === key.wallet &&
          receipt.generation === key.generation &&
          equalBytes(receipt.sid, sid) &&
          equalBytes(receipt.result, confirmed)
        return isFor ? [party] : []
      } catch (error) {
        if (isFault(error)) return []
        throw error
      }
    }),
  )
}

const absent = (): never => reject('it lacks facts that the session was about')

function reject(detail: string): never {
  throw new Fault('threshold/evidence-rejected', { detail })
}
