/** Names beginning with HSM_ in the environment that are nearly ours: a slip must not go unseen. */
import { editDistance, Fault } from '@quorate/base'
import { HSM_SETTINGS } from './settings.ts'

const NAMES: readonly string[] = Object.values(HSM_SETTINGS).flatMap(({ aliases, type }) =>
  aliases.flatMap((name) => (type.isSecret ? [name, `${name}_FILE`] : [name])),
)

/** @throws platform/unknown-setting for a name that is one or two letters off; others belong to other programs */
export function checkHsmEnvironment(env: { readonly [name: string]: string | undefined }): void {
  for (const name of Object.keys(env)) {
    if (!/^HSM_/i.test(name) || NAMES.includes(name)) continue
    const near = NAMES.find((each) => editDistance(each, name.toUpperCase()) <= 2)
    if (near !== undefined)
      throw new Fault('platform/unknown-setting', { detail: `${name}; did you mean ${near}?` })
  }
}
