/** The domains of a server, in the order in which they are made. */
import { bug } from '@quorate/base'
import type { KmsConfig } from './config.ts'
import { type AccessDomain, createAccess } from './domains/access/module.ts'
import { type SecretsModule, secretsModule } from './domains/secrets/module.ts'
import type { MakeModule } from './kms.ts'

export type Domains = {
  /** For `Kms.open`, which makes them. */
  readonly modules: readonly MakeModule[]
  /** What it made. */
  made(): { readonly access: AccessDomain; readonly secrets: SecretsModule }
}

export function makeDomains({ access: settings }: Pick<KmsConfig, 'access'>): Domains {
  let access: AccessDomain | undefined
  let secrets: SecretsModule | undefined
  return {
    modules: [
      (context) => {
        access = createAccess(context, { settings })
        return access.module
      },
      (context) => {
        secrets = secretsModule(context, (access ?? bug('access is made first')).access)
        return secrets
      },
    ],
    made: () =>
      access === undefined || secrets === undefined
        ? bug('they are made by now')
        : { access, secrets },
  }
}
