/** What `config show` prints of the settings of a daemon. */
import type { Config, Settings } from '@quorate/platform'
import type { Given } from './command.ts'
import { type Output, table } from './output.ts'

/** Every setting with its value, secrets as `[secret]`; with `--origin` where each comes from. */
export function showSettings<S extends Settings>(
  given: Given,
  output: Output,
  config: Config<S>,
): void {
  const withOrigin = given.flag('origin')
  const settings = config.show()
  output.result(
    {
      items: settings.map(({ key, value, origin, description }) => ({
        key,
        value,
        origin: origin?.where ?? null,
        description,
      })),
    },
    () =>
      table(
        settings.map(({ key, value, origin }) => [
          key,
          value === '' ? '-' : value,
          ...(withOrigin ? [origin?.where ?? ''] : []),
        ]),
      ),
  )
}
