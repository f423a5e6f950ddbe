import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Fault, fromHex, isFault, Secret, toHex } from '@quorate/base'
import { recover } from '#src/frost/keygen/certificate.js'
import { chillDkg, chillDkgOutput } from '#src/frost/keygen/chilldkg.js'
import {
  coordinatorFinalize,
  coordinatorInvestigate,
  coordinatorStep1,
} from '#src/frost/keygen/coordinator.js'
import type { DkgOutput } from '#src/frost/keygen/outcome.js'
import {
  type DkgParameters,
  dkgParameters,
  hostPublicKey,
  parametersHash,
} from '#src/frost/keygen/parameters.js'
import {
  participantFinalize,
  participantInvestigate,
  participantStep1,
  participantStep2,
  UnattributedShare,
} from '#src/frost/keygen/participant.js'
import { Abort } from '#src/session/abort.js'
import { readVectors, withVectors } from '../vectors.js'

type Params = { hostpubkeys: string[]; t: number }
type Output = { secshare: string | null; threshPk: string; pubshares: string[] }
type ExpectedError = {
  type: string
  message?: string
  participantId?: number
  participantId1?: number
  participantId2?: number
}
// biome-ignore lint/suspicious/noExplicitAny: the cases of each file have fields of their own
type Fields = Record<string, any>
type Case = { tcId: number; comment: string; expectedError: ExpectedError } & Fields
type Group = { validTestCases?: Case[]; errorTestCases?: Case[]; params: Params } & Fields
type File = Group & { totalTests: number; testGroups?: Group[] }

const upper = (bytes: Uint8Array): string => toHex(bytes).toUpperCase()
const secret = (hex: string): Secret<Uint8Array> => new Secret(fromHex(hex))
const paramsOf = ({ hostpubkeys, t }: Params): DkgParameters =>
  dkgParameters({ suite: chillDkg, threshold: t, hostKeys: hostpubkeys.map(fromHex) })
const outputOf = (output: DkgOutput): Output => {
  const { share, thresholdKey, publicShares } = chillDkgOutput(output)
  return {
    secshare: share === undefined ? null : upper(share.expose()),
    threshPk: upper(thresholdKey),
    pubshares: publicShares.map(upper),
  }
}

/** Which of our faults stands for which exception of the reference. */
const FAULTS: { readonly [type: string]: readonly string[] } = {
  // Python's answer to wrong lengths of any kind.
  ValueError: [
    'base/malformed',
    'threshold/malformed-message',
    'threshold/bad-host-key',
    'threshold/bad-randomness',
  ],
  HostSeckeyError: ['threshold/bad-host-key'],
  ThresholdOrCountError: ['threshold/bad-parameters'],
  InvalidHostPubkeyError: ['threshold/bad-host-key'],
  DuplicateHostPubkeyError: ['threshold/duplicate-host-key'],
  RandomnessError: ['threshold/bad-randomness'],
  RecoveryDataError: ['threshold/bad-recovery-data'],
  FaultyCoordinatorError: ['threshold/faulty-coordinator'],
  FaultyParticipantError: ['threshold/invalid-certificate'],
  FaultyParticipantOrCoordinatorError: [
    'threshold/invalid-share',
    'threshold/invalid-proof',
    'threshold/malformed-message',
  ],
  UnknownFaultyParticipantOrCoordinatorError: ['threshold/invalid-share'],
}

function throwsAs(expected: ExpectedError, run: () => unknown): void {
  assert.throws(run, (error: unknown) => {
    assert.ok(isFault(error), String(error))
    const fault: Fault = error
    assert.ok(FAULTS[expected.type]?.includes(fault.code), `${expected.type} came as ${fault.code}`)
    const named = [expected.participantId, expected.participantId1, expected.participantId2].filter(
      (id) => id !== undefined,
    )
    if (expected.type.startsWith('Faulty') && expected.participantId !== undefined)
      assert.deepEqual((fault as Abort).culprits, [expected.participantId + 1])
    else {
      if (fault instanceof Abort && fault.code !== 'threshold/malformed-message')
        assert.deepEqual(fault.culprits, [])
      for (const id of named) assert.match(fault.detail ?? '', new RegExp(`\\b${id + 1}\\b`))
    }
    if (expected.type.startsWith('Unknown')) assert.ok(fault instanceof UnattributedShare)
    return true
  })
}

/** Runs every case of a file through `valid` or through `invalid`, which must throw. */
function runFile(
  name: string,
  valid: (c: Case, g: Group) => void,
  invalid: (c: Case, g: Group) => unknown,
): void {
  const path = `chilldkg/vectors/${name}_vectors.json`
  test(`ChillDKG vectors: ${name}`, withVectors(path), () => {
    const file = readVectors<File>(path)
    let count = 0
    for (const group of file.testGroups ?? [file]) {
      for (const each of group.validTestCases ?? []) {
        valid(each, group)
        count++
      }
      for (const each of group.errorTestCases ?? []) {
        throwsAs(each.expectedError, () => invalid(each, group))
        count++
      }
    }
    assert.equal(count, file.totalTests)
  })
}

runFile(
  'hostpubkey_gen',
  (c) =>
    assert.equal(upper(hostPublicKey(chillDkg, fromHex(c['hostseckey']))), c['expectedHostpubkey']),
  (c) => hostPublicKey(chillDkg, fromHex(c['hostseckey'])),
)

runFile(
  'params_hash',
  (c) => assert.equal(upper(parametersHash(paramsOf(c['params']))), c['expectedParamsHash']),
  (c) => parametersHash(paramsOf(c['params'])),
)

const step1 = (c: Group | Case) =>
  participantStep1(paramsOf(c['params']), secret(c['hostseckey']), fromHex(c['random']))
runFile(
  'participant_step1',
  (c) => assert.equal(upper(step1(c).encoded), c['expectedPmsg1']),
  (c) => step1(c),
)

const step2 = (c: Case | Group, g: Group) => {
  const dealt = step1(g)
  assert.equal(upper(dealt.encoded), g['pmsg1'])
  return participantStep2(
    dealt,
    secret(c['hostseckey'] ?? g['hostseckey']),
    fromHex(c['cmsg1']),
    fromHex(c['auxRand'] ?? g['auxRand']),
  )
}
runFile(
  'participant_step2',
  (c, g) => assert.equal(upper(step2(c, g).signature), c['expectedPmsg2']),
  step2,
)

const finalize = (c: Case, g: Group) => {
  const signed = step2(g, g)
  assert.equal(upper(signed.signature), g['pmsg2'])
  return participantFinalize(signed, fromHex(c['cmsg2']))
}
runFile(
  'participant_finalize',
  (c, g) => {
    const { output, recoveryData } = finalize(c, g)
    assert.deepEqual(outputOf(output), c['expectedOutput'].dkgOutput)
    assert.equal(upper(recoveryData), c['expectedOutput'].recoveryData)
  },
  finalize,
)

runFile(
  'participant_investigate',
  () => assert.fail('an investigation never ends well'),
  (c, g) => {
    try {
      step2({ ...g, cmsg1: g['cmsg1Pool'][c['cmsg1Index']] }, g)
    } catch (error) {
      assert.ok(error instanceof UnattributedShare)
      participantInvestigate(error.inquiry, fromHex(c['cinvMsg']))
    }
  },
)

const coordinate = (c: Case, g: Group) =>
  coordinatorStep1(
    paramsOf(c['params']),
    c['pmsg1Indices'].map((i: number) => fromHex(g['pmsg1Pool'][i])),
  )
runFile(
  'coordinator_step1',
  (c, g) => assert.equal(upper(coordinate(c, g).encoded), c['expectedCmsg1']),
  coordinate,
)

const conclude = (c: Case, g: Group) => {
  const joined = coordinatorStep1(paramsOf(g.params), g['pmsgs1'].map(fromHex))
  assert.equal(upper(joined.encoded), g['cmsg1'])
  return coordinatorFinalize(
    joined,
    c['pmsg2Indices'].map((i: number) => fromHex(g['pmsg2Pool'][i])),
  )
}
runFile(
  'coordinator_finalize',
  (c, g) => {
    const { certificate, output, recoveryData } = conclude(c, g)
    assert.equal(upper(certificate), c['expectedOutput'].cmsg2)
    assert.deepEqual(outputOf(output), c['expectedOutput'].dkgOutput)
    assert.equal(upper(recoveryData), c['expectedOutput'].recoveryData)
  },
  conclude,
)

runFile(
  'coordinator_investigate',
  (c, g) => {
    const answers = coordinatorInvestigate(paramsOf(g.params), g['pmsgs1'].map(fromHex))
    assert.deepEqual(answers.map(upper), c['expectedCinvMsgs'])
  },
  () => assert.fail('there is no such case'),
)

const recovered = (c: Case) =>
  recover(
    chillDkg,
    fromHex(c['recoveryData']),
    c['hostseckey'] ? secret(c['hostseckey']) : undefined,
  )
runFile(
  'recover',
  (c) => {
    const { params, output } = recovered(c)
    assert.deepEqual(outputOf(output), c['expectedOutput'].dkgOutput)
    assert.equal(params.threshold, c['expectedOutput'].params.t)
    assert.deepEqual(params.hostKeys.map(upper), c['expectedOutput'].params.hostpubkeys)
  },
  recovered,
)
