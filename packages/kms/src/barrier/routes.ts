/** Sealing and unsealing, recipients and rotation over HTTP. */
import { Fault, isFault, wipe } from '@quorate/base'
import { combineMnemonics } from '@quorate/math'
import { type Static, Type } from '@sinclair/typebox'
import type { GuardedRoute, KmsRoute, PublicRoute, RouteInput } from '../domains/access/route.ts'
import { idOf, shortText, strict } from '../domains/access/schema.ts'
import type { Rekey } from '../jobs/rekey.ts'
import type { Kms } from '../kms.ts'
import { acceptRollback } from '../storage/restore.ts'
import { backUp } from './backup.ts'
import { storedRecipients } from './instance.ts'
import { recoveryParams, recoveryRecipient } from './recipients.ts'
import {
  addQuorum,
  admitDevices,
  removeRecipient,
  rotateInstance,
  rotateProject,
} from './rotation.ts'

type Nothing = Record<never, never>

const unsealBody = Type.Object(
  {
    /** Of a restored store: the checkpoint that it goes back to, which the quorum accepts. */
    acceptCheckpoint: Type.Optional(Type.Integer({ minimum: 1, maximum: Number.MAX_SAFE_INTEGER })),
    shares: Type.Optional(Type.Array(Type.String({ maxLength: 600 }), { maxItems: 64 })),
  },
  strict,
)
const count = Type.Integer({ minimum: 1, maximum: 16 })
const quorumBody = Type.Object(
  {
    groupThreshold: count,
    groups: Type.Array(Type.Object({ threshold: count, members: count }, strict), {
      minItems: 1,
      maxItems: 16,
    }),
  },
  strict,
)
const backupBody = Type.Object(
  { name: Type.String({ pattern: '^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$' }) },
  strict,
)
const recipientParams = Type.Object({ recipient: shortText(80) }, strict)
const projectParams = Type.Object({ project: idOf('prj') }, strict)
const sealedAnswer = Type.Object({ sealed: Type.Boolean() })

export function barrierRoutes(kms: Kms, rekey: Rekey): readonly KmsRoute[] {
  const instance = (): { readonly kind: string } => ({ kind: 'instance' })

  const unseal: PublicRoute<RouteInput<Nothing, unknown, Static<typeof unsealBody>>> = {
    method: 'POST',
    path: '/api/v1/sys/unseal',
    operationId: 'unseal',
    summary: 'Unseal with recovery shares; without any, and from this machine only, with the HSM',
    permission: 'public',
    body: unsealBody,
    answer: sealedAnswer,
    handle: async ({ body: { shares = [], acceptCheckpoint }, connection }) => {
      if (shares.length > 0) await unsealByShares(kms, shares, acceptCheckpoint)
      // Whoever sealed in an emergency must not be undone by anybody who reaches the port.
      else if (connection.address !== 'local') throw new Fault('kms/no-recipient')
      else if (!(await kms.unsealWith(kms.recipients))) throw new Fault('kms/no-recipient')
      return { body: { sealed: kms.isSealed } }
    },
  }
  const seal: GuardedRoute = {
    method: 'POST',
    path: '/api/v1/sys/seal',
    operationId: 'seal',
    summary: 'Drop every key from memory now',
    permission: 'sys.seal',
    body: Type.Object({}, strict),
    answer: sealedAnswer,
    resourceOf: instance,
    handle: async ({ principal }) => {
      await kms.seal(principal.id)
      return { body: { sealed: true } }
    },
  }
  const recipients: GuardedRoute = {
    method: 'GET',
    path: '/api/v1/sys/recipients',
    operationId: 'listRecipients',
    summary: 'Who can open the instance key',
    permission: 'sys.status',
    answer: Type.Object({
      items: Type.Array(
        Type.Object({ term: Type.Integer(), recipient: Type.String(), kind: Type.String() }),
      ),
    }),
    resourceOf: instance,
    handle: async ({ record }) => {
      await kms.context.journal.record({ ...record, outcome: 'done', fields: [] })
      const items = (await storedRecipients(kms.sql)).map(({ term, recipient, kind }) => ({
        term,
        recipient,
        kind,
      }))
      return { body: { items } }
    },
  }
  const quorum: GuardedRoute<RouteInput<Nothing, unknown, Static<typeof quorumBody>>> = {
    method: 'POST',
    path: '/api/v1/sys/recipients',
    operationId: 'addRecoveryQuorum',
    summary: 'Make SLIP-39 shares that unseal; they are shown once and kept nowhere',
    permission: 'sys.rotate',
    body: quorumBody,
    status: 201,
    answer: Type.Object({
      recipient: Type.String(),
      shares: Type.Array(Type.Array(Type.String())),
    }),
    resourceOf: instance,
    handle: async ({ body, principal }) => ({ body: await addQuorum(kms, body, principal.id) }),
  }
  const dismissal: GuardedRoute<RouteInput<Static<typeof recipientParams>>> = {
    method: 'DELETE',
    path: '/api/v1/sys/recipients/{recipient}',
    operationId: 'removeRecipient',
    summary: 'Take a recipient away; rotate the instance key afterwards',
    permission: 'sys.rotate',
    params: recipientParams,
    status: 204,
    resourceOf: instance,
    handle: async ({ params, principal }) => {
      await removeRecipient(kms, params.recipient, principal.id)
      return {}
    },
  }
  const rotation: GuardedRoute = {
    method: 'POST',
    path: '/api/v1/sys/rotate',
    operationId: 'rotateInstanceKey',
    summary: 'A new instance key for every recipient in reach, and all project keys under it',
    permission: 'sys.rotate',
    body: Type.Object({}, strict),
    answer: Type.Object({ term: Type.Integer(), dropped: Type.Array(Type.String()) }),
    resourceOf: instance,
    handle: async ({ principal }) => {
      const dropped = await rotateInstance(kms, principal.id)
      return { body: { term: kms.barrier.keyring.newestTerm, dropped } }
    },
  }
  const projectRotation: GuardedRoute<RouteInput<Static<typeof projectParams>>> = {
    method: 'POST',
    path: '/api/v1/projects/{project}/rotate-key',
    operationId: 'rotateProjectKey',
    summary: 'A new data key for the project; what lies under older ones is brought over',
    permission: 'sys.rotate',
    params: projectParams,
    body: Type.Object({}, strict),
    status: 202,
    answer: Type.Object({ version: Type.Integer() }),
    resourceOf: async ({ params: { project } }) => {
      const rows = await kms.context.sql.read(
        'SELECT version FROM project_key WHERE project = ? LIMIT 1',
        [project],
      )
      return rows.length === 0 ? undefined : { kind: 'project-key', id: project }
    },
    handle: async ({ params: { project }, principal }) => ({
      body: { version: await rotateProject(kms, project, principal.id) },
    }),
  }
  const progress: GuardedRoute = {
    method: 'GET',
    path: '/api/v1/sys/rotate',
    operationId: 'rotationProgress',
    summary: 'How far the values are under the newest keys',
    permission: 'sys.status',
    answer: Type.Object({
      running: Type.Boolean(),
      moved: Type.Integer(),
      left: Type.Integer(),
    }),
    resourceOf: instance,
    handle: async ({ record }) => {
      await kms.context.journal.record({ ...record, outcome: 'done', fields: [] })
      const { isRunning, moved, left } = await rekey.state()
      return { body: { running: isRunning, moved, left } }
    },
  }
  const backup: GuardedRoute<RouteInput<Nothing, unknown, Static<typeof backupBody>>> = {
    method: 'POST',
    path: '/api/v1/sys/backup',
    operationId: 'backup',
    summary:
      'Write a backup of this moment into the data directory, sealed to the recovery recipients',
    permission: 'sys.backup',
    body: backupBody,
    status: 201,
    answer: Type.Object({
      path: Type.String(),
      rows: Type.Integer(),
      checkpoint: Type.Integer(),
    }),
    resourceOf: instance,
    handle: async ({ body: { name }, principal }) => ({
      body: await backUp(kms, name, principal.id),
    }),
  }
  return [
    unseal,
    backup,
    seal,
    recipients,
    quorum,
    dismissal,
    rotation,
    projectRotation,
    progress,
  ] as readonly KmsRoute[]
}

/** @throws kms/bad-share for shares that are none of this store's */
async function unsealByShares(
  kms: Kms,
  shares: readonly string[],
  acceptCheckpoint: number | undefined,
): Promise<void> {
  let secret: Uint8Array | undefined
  try {
    secret = combineMnemonics(shares)
    const params = recoveryParams(secret)
    if (acceptCheckpoint !== undefined) await acceptRollback(kms.sql, secret, acceptCheckpoint)
    if (!(await kms.unsealWith([recoveryRecipient(params, kms.ports.random, secret)])))
      throw new Fault('kms/bad-share')
    // On a machine that the store was brought to, its HSM is to open the next start.
    await admitDevices(kms)
  } catch (error) {
    if (isFault(error, 'math/bad-share') || isFault(error, 'math/bad-shares'))
      throw new Fault('kms/bad-share', {
        ...(error.detail !== undefined && { detail: error.detail }),
      })
    throw error
  } finally {
    wipe(secret)
  }
}
