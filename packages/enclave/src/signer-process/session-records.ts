/** What is written of sessions: their audit records, and the evidence that convicts a party. */
import { Fault, isFault, shortHex } from '@quorate/base'
import { Abort, type Evidence } from '@quorate/threshold'
import { MAX_EVIDENCE_FILE_BYTES } from '../channel/calls.ts'
import type { AuditDraft } from '../channel/rows.ts'
import { encodeEvidenceFile } from '../evidence-file.ts'
import { requestAudit } from './audit.ts'
import type { Participation } from './participation.ts'
import type { SignerPorts } from './ports.ts'
import type { CheckedRequest } from './requests.ts'

/** What a session was asked for, and its signers' epoch records when it began. */
type Case = {
  /** None of a session that fills a pool. */
  readonly checked: CheckedRequest | undefined
  readonly epochs: readonly Uint8Array[]
}

export class SessionRecords {
  readonly #ports: SignerPorts
  readonly #cases = new WeakMap<Participation, Case>()

  constructor(ports: SignerPorts) {
    this.#ports = ports
  }

  open(session: Participation, of: Case): void {
    this.#cases.set(session, of)
  }

  /** The request that a session serves. */
  requestOf(session: Participation): CheckedRequest {
    return this.#cases.get(session)!.checked!
  }

  /** The record of a session that has come to its result. */
  done(session: Participation, fields: AuditDraft['fields']): AuditDraft {
    const record = requestAudit(this.requestOf(session), session.manifest, 'done')
    return { ...record, fields: [...record.fields, ...fields] }
  }

  /** Writes of a session that did not end well, for the log and the audit chain. */
  async failed(session: Participation, error: unknown): Promise<void> {
    const code = isFault(error) ? error.code : 'enclave/internal'
    const culprits = error instanceof Abort ? error.culprits : []
    this.#ports.logger.log('warn', 'session.failed', {
      sid: shortHex(session.sid),
      code,
      culprits: culprits.join(','),
    })
    if (error instanceof Abort && error.evidence !== undefined)
      await this.#keepEvidence(session, error.evidence)
    const { checked } = this.#cases.get(session)!
    if (checked === undefined) return
    const record = requestAudit(checked, session.manifest, 'failed', {
      reason: code,
      culprits,
    })
    await this.#ports.persist([], [record]).catch(() => undefined)
  }

  async #keepEvidence(session: Participation, evidence: Evidence): Promise<void> {
    const { manifest, sid, plan } = session
    const { epochs } = this.#cases.get(session)!
    try {
      const file = encodeEvidenceFile({ manifest, epochs, evidence, facts: plan.facts ?? {} })
      if (file.length > MAX_EVIDENCE_FILE_BYTES) throw new Fault('base/too-large')
      await this.#ports.evidence(sid, file)
    } catch (error) {
      if (!isFault(error)) throw error
      this.#ports.logger.log('warn', 'evidence.lost', { sid: shortHex(sid), code: error.code })
    }
  }
}
