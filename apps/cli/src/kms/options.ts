import type { Options } from '../command.ts'

/** Options of every command that talks to a KMS. */
export const KMS_OPTIONS: Options = {
  url: {
    kind: 'text',
    value: 'URL',
    about:
      'unix:PATH, http://127.0.0.1:8200 or https://host:8200#FINGERPRINT (default: KMS_URL, else where you are signed in)',
  },
}
/** Of commands about one project. */
export const PROJECT_OPTIONS: Options = {
  ...KMS_OPTIONS,
  project: {
    kind: 'text',
    value: 'NAME',
    about: 'project, by name or id (default: KMS_PROJECT, else that of the sign-in)',
  },
}
/** Of commands about what belongs to a project, or to the instance. */
export const SCOPE_OPTIONS: Options = {
  ...PROJECT_OPTIONS,
  instance: { kind: 'flag', about: 'of the whole instance, and of no project' },
}
/** Of commands about secrets. */
export const PLACE_OPTIONS: Options = {
  ...PROJECT_OPTIONS,
  env: {
    kind: 'text',
    value: 'SLUG',
    about: 'environment (default: KMS_ENVIRONMENT, else that of the sign-in, else development)',
  },
  path: { kind: 'text', value: 'PATH', about: 'folder (default /)' },
}
