/**
 * New keys at every level, while the store works: other recipients, another instance key, another data key of
 * a project. What lies under an older data key is brought over by the job of `jobs/rekey.ts`.
 */
import { Fault, wipe } from '@quorate/base'
import { type GroupShape, splitMnemonics } from '@quorate/math'
import type { SqlStatement } from '@quorate/platform'
import type { Kms } from '../kms.ts'
import type { AuditDraft } from '../storage/port.ts'
import { admit, dismiss, dropTermsBefore, quorums, storedRecipients } from './instance.ts'
import { recoveryParams, recoveryRecipient } from './recipients.ts'

const SECRET_BYTES = 32

const draft = (actor: string, action: string, resource: string): AuditDraft => ({
  actor,
  action,
  resource,
  decision: 'allow',
  outcome: 'done',
  fields: [],
})

/**
 * Makes a quorum that can open the store, and gives its shares: nothing keeps them. @throws math/bad-shares
 */
export async function addQuorum(
  kms: Kms,
  shape: { readonly groupThreshold: number; readonly groups: readonly GroupShape[] },
  actor: string,
): Promise<{ readonly recipient: string; readonly shares: readonly (readonly string[])[] }> {
  const { random, clock } = kms.ports
  const { keyring } = kms.barrier
  const secret = random.bytes(SECRET_BYTES)
  const key = keyring.exportTerm()
  try {
    const shares = splitMnemonics(secret, { ...shape, random })
    const recipient = recoveryRecipient(recoveryParams(secret), random)
    const statement = await admit(recipient, kms.sql.storeId, keyring.newestTerm, key, clock.now())
    await kms.journal.commit({
      statements: [statement],
      audit: [draft(actor, 'sys.add-recipient', recipient.id)],
    })
    return { recipient: recipient.id, shares }
  } finally {
    wipe(secret, key)
  }
}

/** Lets every device at hand open the store that cannot yet, e.g. a second HSM that is new in the configuration. */
export async function admitDevices(kms: Kms): Promise<void> {
  const { keyring } = kms.barrier
  const known = new Set((await storedRecipients(kms.sql)).map(({ recipient }) => recipient))
  const fresh = kms.recipients.filter(({ id }) => !known.has(id))
  if (fresh.length === 0) return
  const key = keyring.exportTerm()
  try {
    for (const recipient of fresh)
      await kms.journal.commit({
        statements: [
          await admit(recipient, kms.sql.storeId, keyring.newestTerm, key, kms.ports.clock.now()),
        ],
        audit: [draft('system', 'sys.add-recipient', recipient.id)],
      })
  } finally {
    wipe(key)
  }
}

/** Takes a recipient away; what it opened before it could have kept, so rotate afterwards. @throws kms/last-recipient, kms/not-found */
export async function removeRecipient(kms: Kms, recipient: string, actor: string): Promise<void> {
  const all = new Set((await storedRecipients(kms.sql)).map((each) => each.recipient))
  if (!all.has(recipient)) throw new Fault('kms/not-found')
  if (all.size === 1) throw new Fault('kms/last-recipient')
  await kms.journal.commit({
    statements: [dismiss(recipient)],
    audit: [draft(actor, 'sys.remove-recipient', recipient)],
  })
}

/**
 * A new instance key for every recipient that is reachable, and every project key under it; the old ones are
 * gone from store and memory when this resolves. A recipient that is not reachable is named and stays out.
 */
export async function rotateInstance(kms: Kms, actor: string): Promise<readonly string[]> {
  const { random, clock } = kms.ports
  const { keyring } = kms.barrier
  const stored = await storedRecipients(kms.sql)
  const reachable = [...kms.recipients, ...quorums(stored, random)]
  const term = keyring.newestTerm + 1
  const key = random.bytes(SECRET_BYTES)
  try {
    const statements: SqlStatement[] = []
    for (const recipient of reachable)
      statements.push(await admit(recipient, kms.sql.storeId, term, key, clock.now()))
    keyring.addTerm(term, key.slice())
    const rows = await kms.sql.read('SELECT project, version, wrapped FROM project_key')
    for (const { project, version, wrapped } of rows)
      statements.push({
        sql: 'UPDATE project_key SET term = ?, wrapped = ? WHERE project = ? AND version = ?',
        params: [
          term,
          keyring.rewrap(project as string, version as number, wrapped as Uint8Array),
          project as string,
          version as number,
        ],
        expect: 1,
      })
    statements.push(dropTermsBefore(term), {
      // A project whose first key came in between is under the old one, and is tried again.
      sql: 'UPDATE project_key SET seals = seals WHERE term < ?',
      params: [term],
      expect: 0,
    })
    await kms.journal.commit({
      statements,
      audit: [draft(actor, 'sys.rotate-instance', `term-${term}`)],
    })
    keyring.keepTerm(term)
  } catch (error) {
    keyring.dropTerm(term)
    throw error
  } finally {
    wipe(key)
  }
  const left = new Set(stored.map(({ recipient }) => recipient))
  for (const { id } of reachable) left.delete(id)
  return [...left]
}

/** A new data key for a project; the job brings its rows over. */
export async function rotateProject(kms: Kms, project: string, actor: string): Promise<number> {
  const { barrier } = kms
  await barrier.project(project)
  const version = barrier.keyring.projects.get(project)!.newest + 1
  await kms.journal.commit({
    statements: [barrier.insertKey(project, version)],
    audit: [draft(actor, 'key.rotate', project)],
  })
  await barrier.reload(project)
  return version
}
