/** Wallets' signatures with the keys of their own addresses, which every node keeps and offers to those that lack them. */
import { proveAddress } from '@quorate/chains'
import type { PartyId } from '@quorate/threshold'
import type { AuditDraft, WalletRef } from '../channel/rows.ts'
import type { Outbox } from './outbox.ts'
import type { SignerPorts } from './ports.ts'
import { refOf } from './recovery.ts'
import { proofOf } from './requests.ts'
import type { Wallets } from './wallets.ts'

export type AddressProofsOptions = {
  readonly wallets: Wallets
  readonly ports: Pick<SignerPorts, 'persist'>
  readonly outbox: Outbox
  audit(action: string, ref: WalletRef): AuditDraft
}

export class AddressProofs {
  readonly #o: AddressProofsOptions

  constructor(options: AddressProofsOptions) {
    this.#o = options
  }

  offer(to: PartyId): void {
    for (const { row } of this.#o.wallets.all)
      if (row.proof !== null) {
        const value = { ref: refOf(row), proof: row.proof }
        this.#o.outbox.tell(to, { kind: 'proof', value }, row.sid)
      }
  }

  /** A proof that another node sends: taken only if it verifies. @throws chains/… */
  async heard(ref: WalletRef, proof: Uint8Array): Promise<void> {
    const { wallets, ports, audit } = this.#o
    const stored = wallets.find(ref)
    if (stored === undefined || stored.row.proof !== null) return
    const { address, item } = proofOf(stored.record)
    proveAddress(stored.record.network, address, item.message, proof)
    await ports.persist([{ kind: 'prove', value: { ref, proof } }], [audit('wallet.prove', ref)])
    wallets.prove(ref, proof)
  }
}
