/** hsm audit list and verify: the log of what was done with an HSM. */
import { Fault } from '@quorate/base'
import {
  type HsmAuditFilter,
  queryHsmAudit,
  type StoredAuditRecord,
  verifyHsmAudit,
} from '@quorate/hsm'
import type { Given, Run } from '../command.ts'
import { hexValue } from '../hsm-attestation.ts'
import { auditDirectory } from '../hsm-audit.ts'
import { table } from '../output.ts'

const FIELDS = ['operation', 'device', 'key', 'role', 'user', 'source', 'result', 'code'] as const
const USUAL_LIMIT = 100

/** @throws cli/bad-value */
function timeOf(given: Given, option: string): number | undefined {
  const text = given.text(option)
  if (text === undefined) return undefined
  const time = /^\d{4}-\d\d-\d\d(T\d\d:\d\d(:\d\d(\.\d{1,3})?)?(Z|[+-]\d\d:\d\d))?$/.test(text)
    ? Date.parse(text)
    : Number.NaN
  if (Number.isFinite(time)) return time
  throw new Fault('cli/bad-value', {
    detail: `--${option} takes a day, or a time with its zone such as 2026-01-02T03:04:05Z`,
  })
}

const recordJson = ({ time, ...record }: StoredAuditRecord): object => ({
  ...record,
  time: new Date(time).toISOString(),
})

const rowOf = (record: StoredAuditRecord): readonly string[] => [
  String(record.seq),
  new Date(record.time).toISOString(),
  record.operation,
  record.result,
  record.device ?? '',
  record.key ?? '',
  record.role ?? '',
  record.user ?? '',
  record.source ?? '',
  record.code ?? '',
]

export const list: Run = async (given, output) => {
  const filter: HsmAuditFilter = {
    ...Object.fromEntries(FIELDS.map((name) => [name, given.text(name)])),
    from: timeOf(given, 'from'),
    to: timeOf(given, 'to'),
  }
  const before = given.integer('before', 1, Number.MAX_SAFE_INTEGER)
  const { records, before: next } = queryHsmAudit(auditDirectory(given), filter, {
    limit: given.integer('limit', 1, 1_000_000) ?? USUAL_LIMIT,
    ...(before !== undefined && { before }),
  })
  output.result({ items: records.map(recordJson), before: next ?? null }, () =>
    records.length === 0
      ? ['There is no such record.']
      : [
          ...table([
            [
              'SEQ',
              'TIME',
              'OPERATION',
              'RESULT',
              'DEVICE',
              'KEY',
              'ROLE',
              'USER',
              'SOURCE',
              'CODE',
            ],
            ...records.map(rowOf),
          ]),
          ...(next === undefined ? [] : [`Older ones: --before ${next}`]),
        ],
  )
}

export const verify: Run = async (given, output) => {
  const directory = auditDirectory(given)
  const keyText = given.text('public-key')
  const key = keyText === undefined ? undefined : hexValue('--public-key', keyText, 32, 32)
  const report = await verifyHsmAudit(directory, key)
  const { isOk, from, to, signedTo, files, torn, problems } = report
  output.result({ isOk, directory, from, to, signedTo, files, torn, problems }, () => [
    `${directory}: ${isOk ? 'whole' : 'NOT WHOLE'}, records ${from} to ${to} in ${files} files`,
    ...(key === undefined
      ? ['  Without --public-key nothing shows that the log was not written anew.']
      : [`  Signed checkpoints reach to record ${signedTo}.`]),
    ...(torn > 0 ? [`  ${torn} bytes at the end were being written when a crash came.`] : []),
    ...problems.map(
      ({ code, seq, to: last, file }) =>
        `  ${code} at ${seq === last ? seq : `${seq} to ${last}`}${file === undefined ? '' : ` in ${file}`}`,
    ),
  ])
  if (!isOk) throw new Fault('cli/does-not-verify', { detail: 'the audit log was changed' })
}
