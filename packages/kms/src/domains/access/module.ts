/** Access as the server takes it: services, routes, jobs, and what happens on unsealing and sealing. */
import type { KmsContext, KmsModule } from '../../context.ts'
import { PolicyService } from '../approvals/policy-service.ts'
import { approvalRoutes } from '../approvals/routes.ts'
import { ApprovalService } from '../approvals/service.ts'
import { type FetchJson, fetchJson } from '../auth-methods/fetch-json.ts'
import { authMethodRoutes } from '../auth-methods/routes.ts'
import { SignInService } from '../auth-methods/service.ts'
import { bootstrapRoutes } from '../bootstrap/routes.ts'
import { BootstrapService } from '../bootstrap/service.ts'
import { GrantService } from '../identities/grant-service.ts'
import { identityRoutes } from '../identities/routes.ts'
import { IdentityService } from '../identities/service.ts'
import { DeviceSignIn } from '../tokens/device.ts'
import { tokenRoutes } from '../tokens/routes.ts'
import { TokenService } from '../tokens/service.ts'
import { TokenUseCases } from '../tokens/use-cases.ts'
import { voidAccess } from './after-restore.ts'
import { RoleService } from './role-service.ts'
import { accessRoutes } from './routes.ts'
import { AccessService, type AccessSettings } from './service.ts'

export type AccessOptions = {
  readonly settings?: Partial<AccessSettings>
  /** How identity providers are reached. */
  readonly fetch?: FetchJson
}

export type AccessDomain = {
  /** For the server and the other domains. */
  readonly access: AccessService
  readonly bootstrap: BootstrapService
  readonly module: KmsModule
}

const CLEAN_UP_EVERY_MS = 60_000

export function createAccess(context: KmsContext, options: AccessOptions = {}): AccessDomain {
  const { settings, fetch = fetchJson } = options
  const tokens = new TokenService(context)
  const access = new AccessService(context, tokens, settings)
  const identities = new IdentityService(context, access, tokens)
  const grants = new GrantService(context, access)
  const roles = new RoleService(context, access)
  const approvals = new ApprovalService(context, access)
  const policies = new PolicyService(context, access, grants)
  identities.guardWith((identity, by) => policies.guardApprovers(identity, by))
  const signIn = new SignInService(context, { access, tokens, identities }, fetch)
  const useCases = new TokenUseCases(context, access, tokens, identities)
  const devices = new DeviceSignIn(context, tokens)
  const bootstrap = new BootstrapService(context, access, tokens)
  const forget = (): void => {
    tokens.clear()
    access.forget()
    devices.clear()
  }
  return {
    access,
    bootstrap,
    module: {
      routes: [
        ...accessRoutes(access, roles),
        ...identityRoutes(access, identities, grants, context.clock),
        ...authMethodRoutes(access, identities, signIn),
        ...tokenRoutes(access, tokens, useCases, devices),
        ...approvalRoutes(access, policies, approvals),
        ...bootstrapRoutes(bootstrap),
      ],
      jobs: [
        {
          name: 'expired-credentials',
          everyMs: CLEAN_UP_EVERY_MS,
          run: async () => {
            await useCases.cleanUp()
          },
        },
      ],
      unsealed: async () => {
        forget()
        await bootstrap.offer()
      },
      restored: async () => {
        access.lockout.clear()
        await voidAccess(context, tokens.credentials, access.identities)
      },
      sealed: forget,
    },
  }
}
