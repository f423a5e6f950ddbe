/** The parties that sign together, with what depends on nothing but who they are. */
import { Fault } from '@quorate/base'
import { lagrangeCoefficients } from '@quorate/math'
import type { PartyId } from '../../session/party.ts'
import type { GroupKey } from './key.ts'

export class SignerSet {
  /** In ascending order. */
  readonly parties: readonly PartyId[]
  readonly #lambdas: ReadonlyMap<PartyId, bigint>

  /** @throws threshold/bad-parameters for fewer than the threshold, a party named twice, or one without a share */
  constructor({ suite, threshold, verifyingShares }: GroupKey, parties: readonly PartyId[]) {
    if (parties.length < threshold)
      throw new Fault('threshold/bad-parameters', {
        detail: `${parties.length} signers, ${threshold} are needed`,
      })
    if (new Set(parties).size !== parties.length)
      throw new Fault('threshold/bad-parameters', { detail: 'a signer is named twice' })
    if (parties.some((party) => !verifyingShares.has(party)))
      throw new Fault('threshold/bad-parameters', { detail: 'a signer holds no share of this key' })
    this.parties = [...parties].sort((a, b) => a - b)
    const lambdas = lagrangeCoefficients(this.parties.map(BigInt), suite.group.order)
    this.#lambdas = new Map(this.parties.map((party, i) => [party, lambdas[i]!]))
  }

  /** λᵢ at 0. @throws threshold/bad-parameters for a party outside the set */
  lambda(party: PartyId): bigint {
    const lambda = this.#lambdas.get(party)
    if (lambda === undefined)
      throw new Fault('threshold/bad-parameters', {
        detail: `party ${party} does not sign in this session`,
      })
    return lambda
  }
}
