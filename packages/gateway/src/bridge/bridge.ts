/**
 * The bridge: three calls of old clients, carried out by a cluster.
 *
 *   POST /keygen {walletID, chainType, threshold, totalParties}   a wallet with that label
 *   POST /sign   {walletID, messageHash, signers}                 a signature of a blind wallet
 *   GET  /pubkey/{walletID}                                       its key and address
 *
 * `threshold` of these clients is how many parties may be corrupt: one less than the number of signers,
 * which is what it means everywhere else here. Every answer says how it was read.
 */
import type { PolicyChoice } from '@quorate/api'
import { Fault, isFault, toHex } from '@quorate/base'
import { DIGEST, parseDigest } from '@quorate/chains'
import type { CallOptions, QuorateClient, VerifiedWallet } from '@quorate/sdk'
import type { GatewayConfig } from '../config.ts'
import type { GrantFor } from '../grants.ts'
import { networkOf } from './chain-types.ts'
import {
  type Dialect,
  type KeygenRequest,
  keyAnswer,
  type SignRequest,
  signatureAnswer,
  signersFor,
} from './shapes.ts'
import type { LabelledWallets } from './wallets.ts'

export type BridgeOptions = {
  readonly config: GatewayConfig
  readonly client: QuorateClient
  readonly wallets: LabelledWallets
  /** Of wallets that callers make. */
  readonly policy: PolicyChoice
  /** The administrators' grant for a blind wallet of that label, where there is one. */
  readonly grantFor: GrantFor
}

/** Ends the looking-up when the caller goes, and says whose span the call is under. */
export type BridgeCall = Pick<CallOptions, 'traceparent'> & { readonly signal: AbortSignal }

export class Bridge {
  readonly #o: BridgeOptions
  /** What is being signed or made now, by what was asked: a client that asks twice gets one answer. */
  readonly #running = new Map<string, Promise<object>>()

  constructor(options: BridgeOptions) {
    this.#o = options
  }

  /** @throws gateway/unknown-chain, gateway/other-parties, gateway/other-wallet, api/bad-threshold, api/unsafe-threshold, and what the cluster refuses it with */
  keygen(request: KeygenRequest, call: BridgeCall): Promise<object> {
    const { walletID, chainType, corruptionBound, parties, dialect } = request
    const name = JSON.stringify(['keygen', dialect, walletID, chainType, corruptionBound, parties])
    return this.#once(name, () => this.#keygen(request, call))
  }

  async #keygen(request: KeygenRequest, { signal, traceparent }: BridgeCall): Promise<object> {
    const { config, client, wallets, policy, grantFor } = this.#o
    const { walletID, chainType, corruptionBound, parties, dialect } = request
    const network = networkOf(chainType, config)
    const threshold = signersFor(request)
    const size = client.cluster.record.nodes.length
    if (parties !== size)
      throw new Fault('gateway/other-parties', { detail: `${parties}, the cluster has ${size}` })
    const there = await this.#there(walletID, signal)
    if (there !== undefined) {
      const { wallet } = there
      if (wallet.network !== network || wallet.threshold !== threshold)
        throw new Fault('gateway/other-wallet')
      return answerOf(dialect, there, chainType, noteOn(corruptionBound))
    }
    const granted = grantFor(walletID)
    // Not given up when the caller goes: the key is then there when it asks again.
    const wanted = {
      label: walletID,
      network,
      threshold,
      ...(granted === undefined
        ? { policy }
        : { policy: granted.policy, blindGrant: granted.grant }),
    }
    const made = await client.createWallet(wanted, { traceparent })
    wallets.made(made)
    return answerOf(dialect, made, chainType, noteOn(corruptionBound))
  }

  async #there(walletID: string, signal: AbortSignal): Promise<VerifiedWallet | undefined> {
    try {
      return await this.#o.wallets.find(walletID, signal)
    } catch (error) {
      if (isFault(error, 'sdk/unknown-wallet')) return undefined
      throw error
    }
  }

  /** @throws gateway/not-blind, sdk/unknown-wallet, policy/denied, sdk/…, and what the cluster refuses it with */
  sign(request: SignRequest, call: BridgeCall): Promise<object> {
    const { dialect, walletID, digest, txId } = request
    const name = JSON.stringify(['sign', dialect, walletID, [...digest], txId])
    return this.#once(name, () => this.#sign(request, call))
  }

  async #sign(request: SignRequest, { signal, traceparent }: BridgeCall): Promise<object> {
    const { client, wallets } = this.#o
    const { dialect, walletID, digest, isSignersGiven, txId } = request
    const found = await wallets.find(walletID, signal)
    if (!found.wallet.blind) throw new Fault('gateway/not-blind')
    const { signed, nodes } = await client.signWith(
      { parse: parseDigest },
      found,
      { network: DIGEST, unsigned: digest },
      { traceparent },
    )
    const isEcdsa = found.key.scheme === 'ecdsa-secp256k1'
    return signatureAnswer(
      dialect,
      {
        walletID,
        digest,
        publicKey: found.key.publicKey,
        signature: signed.slice(0, 64),
        recoveryId: isEcdsa ? signed[64] : undefined,
        signers: nodes,
        txId,
      },
      isSignersGiven
        ? 'the cluster chose the signers itself; the ones that were asked for were not heeded'
        : 'the cluster chose the signers',
    )
  }

  /** @throws sdk/unknown-wallet, gateway/nodes-disagree, sdk/… */
  async pubkey(walletID: string, signal: AbortSignal): Promise<object> {
    const found = await this.#o.wallets.find(walletID, signal)
    const { threshold, network } = found.wallet
    const note = `${threshold} signers are needed; clients of the old API call that a threshold of ${threshold - 1}`
    return answerOf('bridge', found, network, note)
  }

  #once(name: string, run: () => Promise<object>): Promise<object> {
    const known = this.#running.get(name)
    if (known !== undefined) return known
    const running = run().finally(() => this.#running.delete(name))
    this.#running.set(name, running)
    return running
  }
}

const noteOn = (bound: number): string =>
  `threshold ${bound} was read as: ${bound} parties may be corrupt, so ${bound + 1} must sign`

function answerOf(
  dialect: Dialect,
  { wallet, key }: VerifiedWallet,
  chainType: string,
  note: string,
): object {
  return keyAnswer(
    dialect,
    {
      walletID: wallet.label,
      wallet: wallet.id,
      chainType,
      network: wallet.network,
      address: wallet.address,
      publicKey: toHex(key.publicKey),
      scheme: wallet.scheme,
      threshold: wallet.threshold,
      corruptionBound: wallet.corruptionBound,
      totalParties: wallet.parties,
      blind: wallet.blind,
    },
    note,
  )
}
