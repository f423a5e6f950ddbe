/**
 * What every provider must do, as checks that run against any of them. Each makes its own keys,
 * judges results with the platform's crypto library instead of the provider, and destroys the
 * keys it made. The last check closes the provider.
 */
import type { ConformanceCheck } from './check.ts'
import { closingCheck, keyChecks } from './keys.ts'
import { useChecks } from './use.ts'

export const CONFORMANCE: readonly ConformanceCheck[] = [...keyChecks, ...useChecks, closingCheck]
