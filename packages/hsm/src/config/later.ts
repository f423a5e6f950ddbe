/**
 * Keys of a configuration that belong to behaviour around a device which this version does not have.
 * They are recognised, so that nobody believes in a failover that is not there: one that asks for
 * something is refused, one that switches it off is taken.
 */
import { Fault } from '@quorate/base'

type LaterPart = {
  /** What people call it. */
  readonly what: string
  /** Other names of its section; a key may also stand without any. */
  readonly sections: readonly string[]
  readonly keys: readonly string[]
}

const PARTS: readonly LaterPart[] = [
  { what: 'enclaves', sections: ['enclave'], keys: ['enclaveProvider'] },
]

/** Dotted keys, in camel case. `enabled` stands only in a section. */
const KEYS: ReadonlyMap<string, LaterPart> = new Map(
  PARTS.flatMap((part) =>
    [
      ...part.keys,
      ...part.sections.flatMap((section) =>
        ['enabled', ...part.keys].map((key) => `${section}.${key}`),
      ),
    ].map((key) => [key, part] as const),
  ),
)

export const laterKeys = (): readonly string[] => [...KEYS.keys()]

const OFF: ReadonlySet<string> = new Set(['false', 'none', '0', ''])

/**
 * Refuses what asks for something; `found` are the keys of `laterKeys` that a configuration has.
 * @throws hsm/not-yet-supported naming key and place
 */
export function refuseLater(
  found: ReadonlyMap<string, { readonly texts: readonly string[]; readonly where: string }>,
): void {
  const isOff = (key: string): boolean => {
    const [section = '', rest] = key.split('.')
    const { texts } = found.get(key) ?? { texts: [] }
    if (texts.every((text) => OFF.has(text))) return true
    return (
      rest !== undefined &&
      rest !== 'enabled' &&
      found.get(`${section}.enabled`)?.texts[0] === 'false'
    )
  }
  for (const [key, { where }] of found)
    if (!isOff(key))
      throw new Fault('hsm/not-yet-supported', {
        detail: `${key} (${where}): ${KEYS.get(key)?.what ?? 'this'}`,
      })
}
