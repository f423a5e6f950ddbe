/** Every route of a server: its own, and those of its domains. */
import { auditRoutes } from './audit/routes.ts'
import { barrierRoutes } from './barrier/routes.ts'
import type { KmsRoute } from './domains/access/route.ts'
import type { Rekey } from './jobs/rekey.ts'
import type { Kms } from './kms.ts'
import { openApiRoute } from './openapi.ts'
import { statusRoutes } from './status.ts'

export function serverRoutes(kms: Kms, rekey: Rekey, metrics: () => string): readonly KmsRoute[] {
  const routes: readonly KmsRoute[] = [
    ...statusRoutes(kms, metrics),
    openApiRoute(() => routes),
    ...barrierRoutes(kms, rekey),
    ...auditRoutes(kms),
    ...kms.modules.flatMap((each) => each.routes ?? []),
  ]
  return routes
}
