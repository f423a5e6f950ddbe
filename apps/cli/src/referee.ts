/**
 * The referee: makes and checks transactions with libraries that nothing else here uses. It is
 * loaded only where a sample is made or checked, and only a checkout has it.
 */
import { Fault } from '@quorate/base'

export type Referee = Awaited<ReturnType<typeof loadReferee>>

/** @throws cli/no-referee */
// biome-ignore lint/nursery/useExplicitType: the type is the module's own
export const loadReferee = async () => {
  try {
    return await import('@quorate/referee')
  } catch (cause) {
    throw new Fault('cli/no-referee', { cause })
  }
}
