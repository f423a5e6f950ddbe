/** The one error table: every code of every package, mapped to class, HTTP status, exit code, sentence and remedy. */
import { apiErrors } from './api.ts'
import { authErrors } from './auth.ts'
import { baseErrors } from './base.ts'
import { chainsErrors } from './chains.ts'
import { cliErrors } from './cli.ts'
import { enclaveErrors } from './enclave.ts'
import type { ErrorEntry } from './entry.ts'
import { gatewayErrors } from './gateway.ts'
import { hsmErrors } from './hsm.ts'
import { kmsErrors } from './kms.ts'
import { mathErrors } from './math.ts'
import { nodeErrors } from './node.ts'
import { platformErrors } from './platform.ts'
import { policyErrors } from './policy.ts'
import { sdkErrors } from './sdk.ts'
import { thresholdErrors } from './threshold.ts'
import { trustErrors } from './trust.ts'

export type { ErrorClass, ErrorEntry } from './entry.ts'

const TABLE = {
  ...baseErrors,
  ...mathErrors,
  ...apiErrors,
  ...trustErrors,
  ...platformErrors,
  ...thresholdErrors,
  ...policyErrors,
  ...authErrors,
  ...hsmErrors,
  ...chainsErrors,
  ...sdkErrors,
  ...enclaveErrors,
  ...nodeErrors,
  ...kmsErrors,
  ...gatewayErrors,
  ...cliErrors,
}

/** `<package>/<what>`. */
export type FaultCode = keyof typeof TABLE

export const ERRORS: { readonly [Code in FaultCode]: ErrorEntry } = TABLE
