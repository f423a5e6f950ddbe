/**
 * The referee: makes and checks transactions with libraries that nothing else here uses. It is
 * loaded only where a sample is made or checked, and only a checkout has it.
 */
import { Fault } from '@quorate/base'

export type Referee = typeof import('@quorate/referee')

/** @throws cli/no-referee */
export async function loadReferee(): Promise<Referee> {
  try {
    return await import('@quorate/referee')
  } catch (cause) {
    throw new Fault('cli/no-referee', { cause })
  }
}
