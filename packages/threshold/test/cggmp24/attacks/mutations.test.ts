/**
 * Every field of every message, changed by itself: whoever sent it is named, alone. Fields are found
 * by walking the encoded message, so that none can be forgotten, and counted.
 */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { isDeepStrictEqual } from 'node:util'
import { type Cbor, decodeCbor, encodeCbor, equalBytes, utf8 } from '@quorate/base'
import { mod, secp256k1 } from '@quorate/math'
import { PresignChecks } from '#src/cggmp24/presign/checks.js'
import { Replay } from '#src/cggmp24/replay.js'
import { Abort } from '#src/session/abort.js'
import type { PartyId } from '#src/session/party.js'
import { outputsOf } from '#src/testing/index.js'
import {
  auxScene,
  cheating,
  heedless,
  idsOf,
  keygenScene,
  onlineScene,
  play,
  presignScene,
  record,
  type Scene,
  type Spoken,
  signScene,
  TESTED,
  walletOf,
} from '../stage.js'

const [ONE, TWO] = idsOf(1, 2) as [PartyId, PartyId]
const wallet = walletOf(TESTED)
const message = { kind: 'message', bytes: utf8('m'), hash: 'sha256' } as const

/** What comes of a message: whom the session ends for, or that it goes on, or as what. */
type Outcome = readonly PartyId[] | 'goes on' | 'alert'

type Leaf = {
  readonly path: string
  readonly value: Cbor
  readonly replace: (value: Cbor) => Cbor
}

function leavesOf(cbor: Cbor, path = ''): readonly Leaf[] {
  if (cbor instanceof Map) {
    const map = cbor as ReadonlyMap<number, Cbor>
    return [...map].flatMap(([key, item]) =>
      leavesOf(item, `${path}.${key}`).map(({ replace, ...leaf }) => ({
        ...leaf,
        replace: (value) => new Map([...map, [key, replace(value)]]),
      })),
    )
  }
  if (!Array.isArray(cbor)) return [{ path, value: cbor, replace: (value) => value }]
  const items = cbor as readonly Cbor[]
  return items.flatMap((item, i) =>
    leavesOf(item, `${path}[${i}]`).map(({ replace, ...leaf }) => ({
      ...leaf,
      replace: (value) => items.with(i, replace(value)),
    })),
  )
}

const flipped = (value: Uint8Array, at: number): Uint8Array => {
  const copy = value.slice()
  copy[at]! ^= 1
  return copy
}

/** Other values of a field: the least change, one in the middle, none, another length, another party's. */
function othersOf(value: Cbor, theirs: Cbor | undefined): ReadonlyMap<string, Cbor> {
  if (typeof value === 'number') return new Map([['one more', value + 1]])
  assert.ok(value instanceof Uint8Array)
  const others = new Map<string, Cbor>([
    ['another last bit', flipped(value, value.length - 1)],
    ['another bit in the middle', flipped(value, value.length >> 1)],
    ['zeros', new Uint8Array(value.length)],
    ['one byte less', value.subarray(1)],
    ['one byte more', new Uint8Array(value.length + 1)],
  ])
  if (theirs instanceof Uint8Array && !equalBytes(theirs, value))
    others.set('that of another party', theirs)
  return others
}

const isSamePlace = (a: Spoken, b: Spoken): boolean =>
  a.round === b.round && a.kind === b.kind && a.from === b.from && a.to === b.to

/** What the others make of a session in which one message was changed. */
function outcomeOf(scene: Scene<unknown>, spoken: readonly Spoken[], changed: Spoken): Outcome {
  const checks = scene.checks()
  const replay = new Replay(checks)
  const all = spoken.map((each) => (isSamePlace(each, changed) ? changed : each))
  const said = all.filter(({ kind }) => kind === 'broadcast')
  const rounds = [...new Set(said.map(({ round }) => round))].sort((a, b) => a - b)
  try {
    for (const round of rounds) {
      // What was said before the changed message is good.
      const isChecked = ({ from, kind }: Spoken): boolean =>
        from === changed.from &&
        (round > changed.round ||
          (round === changed.round && (kind === changed.kind || kind === 'direct')))
      for (const each of said.filter((message) => message.round === round))
        if (isChecked(each)) replay.broadcast(round).accept(each.from, each.body)
        else replay.note(round, each.from, each.body)
      for (const each of all)
        if (each.kind === 'direct' && each.round === round && isChecked(each))
          replay.direct(round, each.to as PartyId, () => undefined).accept(each.from, each.body)
      checks.close(round)
      const isAlert = checks instanceof PresignChecks && checks.alert !== undefined
      if (isAlert && changed.round <= round && round < 4) return 'alert'
    }
    return 'goes on'
  } catch (error) {
    assert.ok(error instanceof Abort, String(error))
    return error.culprits
  }
}

/** Changes every field of the messages of one kind, and says how many there were. */
function assertEveryFieldCounts(
  scene: Scene<unknown>,
  spoken: readonly Spoken[],
  of: Pick<Spoken, 'from' | 'round' | 'kind'>,
  /** What comes of fields whose change is not, or not yet, anybody's fault. */
  except: Readonly<Record<string, Outcome>> = {},
): number {
  const original = spoken.find(
    (each) => each.from === of.from && each.round === of.round && each.kind === of.kind,
  )!
  const theirs = spoken.find(
    (each) => each.from !== of.from && each.round === of.round && each.kind === of.kind,
  )
  const parsed = (body: Uint8Array): Cbor => decodeCbor(body, { maxBytes: body.length })
  const leaves = leavesOf(parsed(original.body))
  const others = theirs && leavesOf(parsed(theirs.body))
  for (const { path, value, replace } of leaves) {
    const exception = except[path]
    let isExcepted = false
    const ofOther = others?.find((each) => each.path === path)?.value
    for (const [how, other] of othersOf(value, ofOther)) {
      // Some fields are zero as it is.
      if (equalBytes(encodeCbor(other), encodeCbor(value))) continue
      const body = encodeCbor(replace(other))
      const outcome = outcomeOf(scene, spoken, { ...original, body })
      // What cannot be read is its sender's fault, also where another value would not be.
      if (exception !== undefined && isDeepStrictEqual(outcome, exception)) isExcepted = true
      else assert.deepEqual(outcome, [of.from], `round ${of.round} ${of.kind} ${path}: ${how}`)
    }
    assert.equal(isExcepted, exception !== undefined, path)
  }
  return leaves.length
}

const bound = (made: Parameters<typeof onlineScene>[0], name: string) =>
  onlineScene(made, name, (presignature) => ({ kind: 'bound', presignature, message }))

/** Each kind of message of a scene with the number of its fields. */
type Table = readonly (readonly [
  round: number,
  kind: 'broadcast' | 'direct',
  fields: number,
  except?: Readonly<Record<string, Outcome>>,
])[]
const ANOTHER_CONTEXT = { '.1': [] } as const

function assertTable(
  { scene, spoken }: { readonly scene: Scene<unknown>; readonly spoken: readonly Spoken[] },
  from: PartyId,
  table: Table,
): void {
  for (const [round, kind, fields, except] of table)
    assert.equal(assertEveryFieldCounts(scene, spoken, { from, round, kind }, except), fields)
}
const recorded = <Out>(scene: Scene<Out>) => ({ scene, ...record(scene) })

describe('one changed field, one culprit', () => {
  test('auxiliary information', () => {
    assertTable(
      heedless([1, 2], () => recorded(auxScene(TESTED, 2, 'aux'))),
      TWO,
      [
        [1, 'broadcast', 2, ANOTHER_CONTEXT],
        [2, 'broadcast', 8],
        [3, 'broadcast', 5],
        [3, 'direct', 10],
      ],
    )
  })

  const keygen = recorded(keygenScene(TESTED, 2, 3, 'keygen'))
  const ofKeygen: Table = [
    [1, 'broadcast', 2, ANOTHER_CONTEXT],
    [2, 'broadcast', 5],
    [2, 'direct', 1],
    [3, 'broadcast', 1],
  ]
  test('key generation', () => assertTable(keygen, TWO, ofKeygen))
  test('refresh', () => {
    const old = outputsOf(keygen.result)
    assertTable(recorded(keygenScene(TESTED, 2, 3, 'refresh', old)), TWO, ofKeygen)
  })

  test('presigning', () => {
    const more = { isRerandomised: true }
    assertTable(recorded(presignScene(wallet, idsOf(1, 2), 'presign', more)), TWO, [
      [1, 'broadcast', 8, ANOTHER_CONTEXT],
      [1, 'direct', 18],
      [2, 'broadcast', 7],
      [2, 'direct', 30],
      [
        3,
        'broadcast',
        9,
        // What δ and χ must be is known to nobody; that they are wrong shows in their sum, and whose
        // they are in the alert. Entropy is compared with its commitment when it is opened.
        { '[0].1': 'alert', '[0].2': 'alert', '[0].5': 'goes on' },
      ],
    ])
  })

  test('interactive shares', () => {
    const scene = signScene(wallet, idsOf(1, 2), 'interactive', [{ message, path: [] }])
    assertTable(recorded(scene), TWO, [[4, 'broadcast', 1]])
  })

  test('signing from presignatures', () => {
    const made = outputsOf(play(presignScene(wallet, idsOf(1, 2), 'made')))
    assertTable(recorded(bound(made, 'online')), TWO, [[1, 'broadcast', 2, ANOTHER_CONTEXT]])
  })

  test('signing from re-randomised presignatures', () => {
    const more = { isRerandomised: true }
    const made = outputsOf(play(presignScene(wallet, idsOf(1, 2), 'any', more)))
    const scene = onlineScene(made, 'late', (presignature) => ({
      kind: 'rerandomised',
      presignature,
      message,
      chainCode: wallet.key.chainCode,
      path: [5],
    }))
    assertTable(recorded(scene), TWO, [
      [1, 'broadcast', 2, ANOTHER_CONTEXT],
      [2, 'broadcast', 2, ANOTHER_CONTEXT],
    ])
  })

  test('an alert', () => {
    const scene = presignScene(wallet, idsOf(1, 2), 'alert')
    const falsify = (made: { readonly delta: bigint }) => ({
      ...made,
      delta: mod(made.delta + 1n, secp256k1.order),
    })
    const { spoken } = cheating({ 2: falsify }, 'delta', () =>
      heedless([1, 2], () => record(scene)),
    )
    assertTable({ scene, spoken }, ONE, [[5, 'broadcast', 11]])
    assertTable({ scene, spoken }, TWO, [[6, 'broadcast', 7]])
  })
})
