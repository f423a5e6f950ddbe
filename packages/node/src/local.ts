/**
 * A data directory with its store and its signer process opened: what a running node and the
 * enrolment commands have in common. One process at a time holds the directory.
 */
import type { Custody } from '@quorate/auth'
import {
  Fault,
  fromUtf8,
  type Id,
  type Logger,
  parseId,
  type Secret,
  toHex,
  utf8,
} from '@quorate/base'
import {
  type AuditDraft,
  type Outcome,
  type SignerHost,
  type SignerHostOptions,
  startSigner,
} from '@quorate/enclave'
import { type HsmConfig, type HsmType, isVendor } from '@quorate/hsm'
import { openDataDirectory, openSql, type Sql, systemClock, systemRandom } from '@quorate/platform'
import { EvidenceKeeper } from './evidence-keeper.ts'
import { type Draft, Journal } from './journal.ts'
import type { Concluding } from './operations.ts'
import { MIGRATIONS } from './schema.ts'
import { putSetting, statementsOf } from './statements.ts'
import { Store } from './store.ts'

export type Environment = SignerHostOptions['environment']

export type LocalOptions = {
  readonly environment: Environment
  readonly directory: string
  readonly hsm: NodeHsmConfig
  readonly logger: Logger
}

export type NodeHsmConfig = {
  /** Of a simulated or software HSM without a directory: hsm/ in the data directory. */
  readonly config: HsmConfig
  /** Labels of the key that seals and of the identity key; of this node's own unless given. */
  readonly keyLabel?: string | undefined
  readonly identityLabel?: string | undefined
  /** Handed to the signer process and wiped here. */
  readonly pin?: Secret<Uint8Array> | undefined
}

export type LocalEvents = {
  onSend(to: number, envelope: Uint8Array): void
  onProgress(
    requestId: string,
    progress: { readonly phase: string; readonly round: number; readonly of: number },
  ): void
  onAnchored(from: number, checkpoint: Uint8Array): void
  /** The head of a chain of backups, from a peer. */
  onBackupTold(from: number, head: Uint8Array): void
  /** A request that waited, by its hash, need not wait any more. */
  onWake(request: Uint8Array): void
  /** What a request, by its hash, has come to: what else goes into the write that makes it durable. */
  onConcluded(request: Uint8Array, outcome: Outcome): Concluding | undefined
  /** Records of the signer that are on disk now. */
  onAudited(records: readonly AuditDraft[]): void
}

export type LocalNode = {
  readonly store: Store
  readonly journal: Journal
  readonly sql: Sql
  readonly signer: SignerHost
  readonly bootId: Uint8Array
  readonly nodeId: Id<'nod'>
  readonly identityKey: Uint8Array
  readonly custody: Custody
  /** Type of the HSM. */
  readonly hsmType: HsmType
  close(): Promise<void>
}

const SECRETS = 'node-secrets'
const HSM_KEYS = 'hsm-keys'
const ENVIRONMENT = 'environment'

const NO_EVENTS: LocalEvents = {
  onSend: () => {},
  onProgress: () => {},
  onAnchored: () => {},
  onBackupTold: () => {},
  onWake: () => {},
  onConcluded: () => undefined,
  onAudited: () => {},
}

/** @throws platform/directory-in-use, platform/…, enclave/store-mismatch, hsm/… */
export async function openLocal(
  options: LocalOptions,
  events: LocalEvents = NO_EVENTS,
): Promise<LocalNode> {
  const { environment, directory, logger } = options
  const data = openDataDirectory(directory)
  const undo: (() => unknown)[] = [() => data.release()]
  const close = async (): Promise<void> => {
    for (const step of undo.splice(0).reverse()) await step()
  }
  try {
    const sql = await openSql({
      path: data.file('node.db'),
      migrations: MIGRATIONS,
      clock: systemClock,
      random: systemRandom,
    })
    undo.push(() => sql.close())
    const bootId = systemRandom.bytes(16)
    const store = new Store(sql)
    const journal = await Journal.open(sql, () => ({ time: systemClock.now(), bootId }))
    undo.push(() => journal.settled())
    await claim(store, journal, environment)

    const keeper = new EvidenceKeeper(data.file('evidence'))
    const signer = startSigner({
      environment,
      output: process.stderr.isTTY ? 'ignore' : 2,
      handlers: {
        send: ({ to, envelope }) => {
          events.onSend(to, envelope)
          return {}
        },
        persist: async ({ changes, audit, concluded }) => {
          const along = concluded && events.onConcluded(concluded.request, concluded.outcome)
          await journal.commit(
            [...changes.flatMap(statementsOf), ...(along?.statements ?? [])],
            audit.map(draftOf),
          )
          along?.written()
          events.onAudited(audit)
          return {}
        },
        progress: ({ requestId, phase, done, of }) => {
          events.onProgress(requestId, { phase, round: done, of })
          return {}
        },
        evidence: ({ sid, file }) => {
          keeper.keep(sid, file)
          logger.log('warn', 'evidence.kept', { sid: toHex(sid) })
          return {}
        },
        backupTold: ({ from, head }) => {
          events.onBackupTold(from, head)
          return {}
        },
        anchored: ({ from, checkpoint }) => {
          events.onAnchored(from, checkpoint)
          return {}
        },
        wake: ({ hash }) => {
          events.onWake(hash)
          return {}
        },
        log: ({ level, event, fields }) => {
          logger.log(
            level,
            event,
            Object.fromEntries(fields.map(({ name, value }) => [name, value])),
          )
          return {}
        },
      },
    })
    undo.push(() => signer.stop())
    const [known, keys] = [await store.setting(SECRETS), await store.setting(HSM_KEYS)]
    const { config, keyLabel = null, identityLabel = null, pin } = options.hsm
    const hsm: HsmConfig = isVendor(config.type)
      ? config
      : { ...config, directory: config.directory ?? data.file('hsm') }
    const opened = await signer.calls.open({
      environment,
      hsm,
      pin: pin?.expose() ?? null,
      keyLabel,
      identityLabel,
      keys,
      storeId: sql.storeId,
      sealedSecrets: known,
      bootId,
    })
    // Both at once: keys of a store that has no secrets yet could be others the next time.
    if (known === null || keys === null)
      await journal.commit(
        [putSetting(SECRETS, opened.sealedSecrets), putSetting(HSM_KEYS, opened.keys)],
        [],
      )
    const { nodeId, identityKey, custody } = opened
    return {
      store,
      journal,
      sql,
      signer,
      bootId,
      nodeId: nodeId as Id<'nod'>,
      identityKey,
      custody,
      hsmType: config.type,
      close,
    }
  } catch (error) {
    await close()
    throw error
  } finally {
    options.hsm.pin?.[Symbol.dispose]()
  }
}

/** A store keeps the environment it was made in for life. @throws enclave/development-store */
async function claim(store: Store, journal: Journal, environment: Environment): Promise<void> {
  const made = await store.setting(ENVIRONMENT)
  if (made === null) await journal.commit([putSetting(ENVIRONMENT, utf8(environment))], [])
  else if (fromUtf8(made) !== environment)
    throw new Fault('enclave/development-store', { detail: `it was made for ${fromUtf8(made)}` })
}

/** What the signer reports, as the audit chain wants it. Ids were checked by the signer's codecs or are refused by the record's. */
const draftOf = ({ sid, fields, project, requestId, ...rest }: AuditDraft): Draft => ({
  ...rest,
  ...(project !== undefined && { project: parseId('prj', project) }),
  ...(requestId !== undefined && { requestId: parseId('req', requestId) }),
  ...(sid !== undefined && { sessionId: sid }),
  fields: fields.map(({ name, value }) => ({ name, kind: 'text', value })),
})
