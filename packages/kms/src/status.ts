/** Routes that say how the server is: for load balancers, for people, for Prometheus. */
import { Type } from '@sinclair/typebox'
import type { GuardedRoute, KmsRoute, PublicRoute } from './domains/access/route.ts'
import type { Kms } from './kms.ts'
import { METRICS_TYPE } from './metrics.ts'

const readiness = Type.Object({ ready: Type.Boolean(), sealed: Type.Boolean() })

export function statusRoutes(kms: Kms, metrics: () => string): readonly KmsRoute[] {
  const health: PublicRoute = {
    method: 'GET',
    path: '/api/v1/health',
    operationId: 'health',
    summary: 'Whether the process answers',
    permission: 'public',
    answer: Type.Object({ ok: Type.Boolean() }),
    handle: () => ({ body: { ok: true } }),
  }
  const ready: PublicRoute = {
    method: 'GET',
    path: '/api/v1/ready',
    operationId: 'ready',
    summary: 'Whether it serves: 503 while it is sealed',
    permission: 'public',
    answer: readiness,
    others: { 503: readiness },
    handle: () => ({
      status: kms.isSealed ? 503 : 200,
      body: { ready: !kms.isSealed, sealed: kms.isSealed },
    }),
  }
  const status: GuardedRoute = {
    method: 'GET',
    path: '/api/v1/sys/status',
    operationId: 'status',
    summary: 'What the store is and how it stands',
    permission: 'sys.status',
    answer: Type.Object({
      storeId: Type.String(),
      environment: Type.String(),
      database: Type.String(),
      term: Type.Integer(),
      auditRecords: Type.Integer(),
      signedRecords: Type.Integer(),
      rollback: Type.String(),
      staleRows: Type.Integer(),
    }),
    resourceOf: () => ({ kind: 'instance' }),
    handle: async ({ record }) => {
      await kms.context.journal.record({ ...record, outcome: 'done', fields: [] })
      return {
        body: {
          storeId: kms.sql.storeId,
          environment: kms.config.environment,
          database: kms.sql.driver,
          term: kms.barrier.keyring.newestTerm,
          auditRecords: kms.journal.head.seq,
          signedRecords: kms.checkpoints.newest?.seq ?? 0,
          rollback: kms.checkpoints.isRollbackDetectable
            ? 'detectable'
            : 'not detectable: no anchor outside the data directory',
          staleRows: kms.staleRows,
        },
      }
    },
  }
  const figures: PublicRoute = {
    method: 'GET',
    path: '/metrics',
    operationId: 'metrics',
    summary: 'Figures for Prometheus',
    permission: 'public',
    text: METRICS_TYPE,
    handle: () => ({ text: { type: METRICS_TYPE, content: metrics() } }),
  }
  return [health, ready, status, figures] as readonly KmsRoute[]
}
