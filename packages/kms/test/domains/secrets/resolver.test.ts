import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { type FaultCode, type Id, isFault } from '@quorate/base'
import fc from 'fast-check'
import { type Place, placeText } from '#src/domains/folders/place.js'
import {
  drive,
  type Entry,
  type Found,
  type Need,
  type ResolveOptions,
  resolveAll,
  resolveOne,
} from '#src/domains/secrets/resolver.js'
import { slowAll, slowOne, type World } from './slow-resolver.ts'

/** `environment:/path` to its imports and its secrets; a name in `~` is the caller's personal one. */
type Sketch = {
  readonly [place: string]: {
    readonly imports?: readonly string[]
    readonly [name: string]: string | readonly string[] | null | undefined
  }
}

const placeOf = (text: string): Place => {
  const [environment = '', path = ''] = text.split(':')
  return { environment, path }
}

const idOf = (text: string): Id<'sec'> => `sec_${text}` as Id<'sec'>

function worldOf(sketch: Sketch, denied: readonly string[] = []): World {
  const folders = new Map<string, Exclude<Found, undefined>>()
  for (const [place, { imports = [], ...secrets }] of Object.entries(sketch)) {
    const entries = new Map<string, Entry | 'denied'>()
    for (const [key, value] of Object.entries(secrets)) {
      const name = key.replace('~', '')
      const known = entries.get(name)
      if (known !== undefined && !key.startsWith('~')) continue
      const isDenied = denied.includes(`${place}/${name}`)
      entries.set(
        name,
        isDenied
          ? 'denied'
          : {
              id: idOf(`${place}/${key}`),
              version: 1,
              type: key.startsWith('~') ? 'personal' : 'shared',
              template: (value as string | null) ?? undefined,
            },
      )
    }
    folders.set(
      place,
      denied.includes(place) ? 'denied' : { imports: imports.map(placeOf), entries },
    )
  }
  return folders
}

const supply =
  (world: World) =>
  ({ place, name }: Need): Found => {
    const found = world.get(placeText(place))
    if (found === undefined || found === 'denied' || name === undefined) return found
    const entry = found.entries.get(name)
    return { ...found, entries: new Map(entry === undefined ? [] : [[name, entry]]) }
  }

const one = (world: World, at: string, name: string, options?: ResolveOptions) =>
  drive(resolveOne(placeOf(at), name, options), supply(world))
const all = (world: World, at: string, options?: ResolveOptions) =>
  drive(resolveAll(placeOf(at), options), supply(world))
const value = async (...given: Parameters<typeof one>): Promise<string | undefined> =>
  (await one(...given)).value
const fails = (run: Promise<unknown>, code: FaultCode, detail: string): Promise<void> =>
  assert.rejects(run, (error) => {
    assert.ok(isFault(error, code), `${code} expected, not ${String(error)}`)
    assert.equal(error.detail, detail)
    return true
  })

describe('which secret a name means', () => {
  test('the own one comes before imports, and imports in their order', async () => {
    const world = worldOf({
      'dev:/app': { imports: ['dev:/first', 'dev:/second'], A: 'own' },
      'dev:/first': { A: 'first', B: 'first' },
      'dev:/second': { A: 'second', B: 'second', C: 'second' },
    })
    assert.equal(await value(world, 'dev:/app', 'A'), 'own')
    assert.equal(await value(world, 'dev:/app', 'B'), 'first')
    assert.equal(await value(world, 'dev:/app', 'C'), 'second')
    const { items } = await all(world, 'dev:/app')
    assert.deepEqual(
      items.map(({ name, value: each }) => `${name}=${each}`),
      ['A=own', 'B=first', 'C=second'],
    )
  })

  test('the personal one comes before the shared one, through an import, too', async () => {
    const world = worldOf({
      'dev:/app': { imports: ['dev:/base'], A: 'shared', '~A': 'mine' },
      'dev:/base': { B: 'shared', '~B': 'mine' },
    })
    assert.equal(await value(world, 'dev:/app', 'A'), 'mine')
    const imported = await one(world, 'dev:/app', 'B')
    assert.equal(imported.value, 'mine')
    assert.equal(imported.type, 'personal')
    assert.deepEqual(imported.via.map(placeText), ['dev:/base'])
  })

  test('imports nest as deep as they like, and say where they led', async () => {
    const world = worldOf({
      ...Object.fromEntries(
        Array.from({ length: 20 }, (_, i) => [`dev:/f${i}`, { imports: [`dev:/f${i + 1}`] }]),
      ),
      'dev:/f20': { DEEP: 'found' },
    })
    const found = await one(world, 'dev:/f0', 'DEEP')
    assert.equal(found.value, 'found')
    assert.equal(found.via.length, 20)
    assert.equal(placeText(found.place), 'dev:/f20')
  })

  test('without imports there is only what the folder itself has; references still reach theirs', async () => {
    const world = worldOf({
      'dev:/app': { imports: ['dev:/base'], A: '${B}' },
      'dev:/base': { B: 'b' },
    })
    const { items } = await all(world, 'dev:/app', { withImports: false })
    assert.deepEqual(
      items.map((each) => [each.name, each.value]),
      [['A', 'b']],
    )
    await fails(one(world, 'dev:/app', 'B', { withImports: false }), 'kms/no-secret', 'dev:/app/B')
  })
})

describe('what a value is', () => {
  test('references chain far beyond three levels', async () => {
    const world = worldOf({
      'dev:/': Object.fromEntries(
        Array.from({ length: 30 }, (_, i) => [`V${i}`, i === 29 ? 'end' : `\${V${i + 1}}`]),
      ),
    })
    assert.equal(await value(world, 'dev:/', 'V0'), 'end')
  })

  test('a value means the same wherever it is imported', async () => {
    const world = worldOf({
      'dev:/app': { imports: ['dev:/db'], HOST: 'wrong' },
      'dev:/db': { URL: 'pg://${HOST}', HOST: 'right' },
    })
    assert.equal(await value(world, 'dev:/app', 'URL'), 'pg://right')
  })

  test('a reference reaches imported and personal secrets', async () => {
    const world = worldOf({
      'dev:/app': { imports: ['prod:/base'], URL: '${USER}@${prod.base.HOST}', '~USER': 'me' },
      'prod:/base': { imports: ['prod:/more'] },
      'prod:/more': { HOST: 'h' },
    })
    const resolved = await one(world, 'dev:/app', 'URL')
    assert.equal(resolved.value, 'me@h')
    assert.deepEqual(
      resolved.references.map(({ place, name, type }) => `${placeText(place)} ${name} ${type}`),
      ['dev:/app USER personal', 'prod:/more HOST shared'],
    )
  })

  test('a list and a single read answer the same', async () => {
    const world = worldOf({
      'dev:/app': { imports: ['dev:/base'], A: 'x${B}', C: '$${B}' },
      'dev:/base': { B: '${D}', D: 'd' },
    })
    for (const item of (await all(world, 'dev:/app')).items)
      assert.deepEqual(item, await one(world, 'dev:/app', item.name))
    assert.equal(await value(world, 'dev:/app', 'C'), '${B}')
  })

  test('unexpanded, references stand as they are written', async () => {
    const world = worldOf({ 'dev:/': { A: '${B} $${C}', B: 'b' } })
    assert.equal(await value(world, 'dev:/', 'A', { isExpanded: false }), '${B} $${C}')
  })
})

describe('what cannot be resolved is refused with the path that led there', () => {
  test('missing secrets, folders and environments', async () => {
    const world = worldOf({
      'dev:/app': { A: '${B}', B: '${prod.db.C}', D: '${prod.gone.C}', E: '${none.C}' },
      'prod:/db': {},
    })
    await fails(
      one(world, 'dev:/app', 'A'),
      'kms/reference-missing',
      'dev:/app/A → dev:/app/B → prod:/db/C',
    )
    await fails(
      one(world, 'dev:/app', 'D'),
      'kms/reference-missing',
      'dev:/app/D → prod:/gone (no such folder)',
    )
    await fails(
      one(world, 'dev:/app', 'E'),
      'kms/reference-missing',
      'dev:/app/E → none:/ (no such folder)',
    )
    await fails(one(world, 'dev:/app', 'Z'), 'kms/no-secret', 'dev:/app/Z')
    await fails(one(world, 'dev:/nowhere', 'Z'), 'kms/no-folder', 'dev:/nowhere')
    await fails(
      all(world, 'dev:/app'),
      'kms/reference-missing',
      'dev:/app/A → dev:/app/B → prod:/db/C',
    )
  })

  test('cycles of references and of imports', async () => {
    const world = worldOf({
      'dev:/': { A: '${B}', B: '${prod.A}', SELF: '${SELF}' },
      'prod:/': { A: '${dev.A}' },
      'dev:/x': { imports: ['dev:/y'] },
      'dev:/y': { imports: ['dev:/x'] },
    })
    await fails(
      one(world, 'dev:/', 'A'),
      'kms/reference-cycle',
      'dev:/A → dev:/B → prod:/A → dev:/A',
    )
    await fails(one(world, 'dev:/', 'SELF'), 'kms/reference-cycle', 'dev:/SELF → dev:/SELF')
    await fails(one(world, 'dev:/x', 'N'), 'kms/import-cycle', 'dev:/x → dev:/y → dev:/x')
  })

  test('a personal secret may refer to the shared one of its name elsewhere, and not to itself', async () => {
    const world = worldOf({
      'dev:/': { A: 'shared', '~A': '${prod.A}-mine' },
      'prod:/': { A: 'p' },
    })
    assert.equal(await value(world, 'dev:/', 'A'), 'p-mine')
  })

  test('what may not be read, by itself, behind a reference and behind an import', async () => {
    const world = worldOf(
      {
        'dev:/app': {
          imports: ['dev:/vault'],
          A: '${dev.vault.KEY}',
          B: '${dev.db.KEY}',
          OPEN: 'o',
        },
        'dev:/vault': { KEY: 'k' },
        'dev:/db': { KEY: 'k', OTHER: 'o' },
      },
      ['dev:/vault', 'dev:/db/KEY'],
    )
    await fails(one(world, 'dev:/app', 'A'), 'kms/reference-denied', 'dev:/app/A → dev:/vault')
    await fails(one(world, 'dev:/app', 'B'), 'kms/reference-denied', 'dev:/app/B → dev:/db/KEY')
    await fails(one(world, 'dev:/app', 'KEY'), 'kms/import-denied', 'dev:/app → dev:/vault')
    await fails(all(world, 'dev:/app'), 'kms/import-denied', 'dev:/app → dev:/vault')
    await fails(one(world, 'dev:/db', 'KEY'), 'kms/not-permitted', 'secret.read on dev:/db/KEY')
    const { items, withheld } = await all(world, 'dev:/db')
    assert.deepEqual([items.map(({ name }) => name), withheld], [['OTHER'], 1])
  })

  test('a denied secret lets no other of its name shine through', async () => {
    const world = worldOf(
      { 'dev:/app': { imports: ['dev:/b'], A: 'a' }, 'dev:/b': { A: 'other' } },
      ['dev:/app/A'],
    )
    const { items, withheld } = await all(world, 'dev:/app')
    assert.deepEqual([items, withheld], [[], 1])
    await fails(one(world, 'dev:/app', 'A'), 'kms/not-permitted', 'secret.read on dev:/app/A')
  })

  test('imports that were deleted, bytes in a text, references in bad form', async () => {
    const world = worldOf({
      'dev:/': { imports: ['dev:/gone'], A: '${BIN}', BIN: null, BAD: 'x${' },
    })
    await fails(one(world, 'dev:/', 'N'), 'kms/import-missing', 'dev:/ → dev:/gone')
    await fails(one(world, 'dev:/', 'A'), 'kms/reference-binary', 'dev:/A → dev:/BIN')
    await fails(
      one(world, 'dev:/', 'BAD'),
      'kms/bad-reference',
      'dev:/BAD, at character 2: it is not closed with }',
    )
    assert.equal((await one(world, 'dev:/', 'BIN')).value, undefined)
  })

  test('depth, number and size are bounded', async () => {
    const long = worldOf({
      'dev:/': Object.fromEntries(
        Array.from({ length: 40 }, (_, i) => [`V${i}`, i === 39 ? 'end' : `\${V${i + 1}}`]),
      ),
    })
    await fails(
      one(long, 'dev:/', 'V0'),
      'kms/reference-depth',
      'dev:/V0 → dev:/V1 → dev:/V2 → … → dev:/V33',
    )
    const laughs = worldOf({
      'dev:/': Object.fromEntries(
        Array.from({ length: 12 }, (_, i) => [
          `L${i}`,
          i === 11 ? 'ha' : `\${L${i + 1}}`.repeat(10),
        ]),
      ),
    })
    await assert.rejects(one(laughs, 'dev:/', 'L0'), (e) => isFault(e, 'kms/reference-limit'))
    const big = worldOf({ 'dev:/': { A: '${B}'.repeat(20), B: 'x'.repeat(100_000) } })
    await fails(one(big, 'dev:/', 'A'), 'kms/reference-limit', 'dev:/A')
  })
})

describe('against a slow reference', () => {
  const places = ['dev:/', 'dev:/a', 'prod:/', 'prod:/a']
  const names = ['A', 'B', 'C']
  const written = fc.array(
    fc.oneof(
      fc.constantFrom('t', '$', '{', '$$', '$${x}'),
      fc.constantFrom(...names).map((name) => `\${${name}}`),
      fc
        .tuple(fc.constantFrom('dev', 'dev.a', 'prod', 'prod.a'), fc.constantFrom(...names))
        .map(([place, name]) => `\${${place}.${name}}`),
    ),
    { maxLength: 3 },
  )
  const folder = fc.record(
    {
      imports: fc.uniqueArray(fc.constantFrom(...places, 'dev:/gone'), { maxLength: 2 }),
      ...Object.fromEntries(
        names.flatMap((name) => [
          [name, written.map((parts) => parts.join(''))],
          [`~${name}`, written.map((parts) => parts.join(''))],
        ]),
      ),
    },
    { requiredKeys: [] },
  )
  const sketch = fc.record(Object.fromEntries(places.map((place) => [place, folder])), {
    requiredKeys: ['dev:/', 'dev:/a'],
  }) as fc.Arbitrary<Sketch>
  const denied = fc.subarray([...places, ...places.flatMap((p) => names.map((n) => `${p}/${n}`))], {
    maxLength: 2,
  })

  /** The values, or the code and detail of the fault. */
  const outcome = async (run: () => unknown): Promise<unknown> => {
    try {
      return await run()
    } catch (error) {
      if (!isFault(error)) throw error
      return [error.code, error.detail]
    }
  }

  test('every read and every list', async () => {
    await fc.assert(
      fc.asyncProperty(sketch, denied, fc.constantFrom(...names), async (drawn, no, name) => {
        const world = worldOf(drawn, no)
        assert.deepEqual(
          await outcome(async () => value(world, 'dev:/a', name)),
          await outcome(() => slowOne(world, placeOf('dev:/a'), name)),
        )
        assert.deepEqual(
          await outcome(async () =>
            Object.fromEntries(
              (await all(world, 'dev:/a')).items.map((each) => [each.name, each.value]),
            ),
          ),
          await outcome(() => slowAll(world, placeOf('dev:/a'))),
        )
      }),
      { numRuns: 600 },
    )
  })
})
