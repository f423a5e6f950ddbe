/** kms seal, unseal and doctor. */
import { Fault, isFault } from '@quorate/base'
import type { Given, Run } from '../../command.ts'
import { error, type Finding, ok, warning } from '../../doctor/finding.ts'
import { connectKms, connectStranger } from '../connect.ts'
import { sharesIn } from '../shares.ts'
import { readSignIn, signInFile } from '../sign-in.ts'

export const seal: Run = async (given, output) => {
  const { client } = await connectKms(given)
  await client.call({ method: 'POST', target: '/api/v1/sys/seal', body: {} })
  output.result({ sealed: true }, () => [
    'Sealed: no key is in memory. quorate kms unseal opens it.',
  ])
}

export const unseal: Run = async (given, output) => {
  const { client } = connectStranger(given)
  const shares = sharesIn(given.list('share-file'))
  const acceptCheckpoint = given.integer('accept-checkpoint', 1, Number.MAX_SAFE_INTEGER)
  const { body } = await client.call<{ readonly sealed: boolean }>({
    method: 'POST',
    target: '/api/v1/sys/unseal',
    body: { shares, ...(acceptCheckpoint !== undefined && { acceptCheckpoint }) },
  })
  output.result(body, () => ['Unsealed.'])
}

type Status = {
  readonly environment: string
  readonly database: string
  readonly rollback: string
  readonly staleRows: number
  readonly auditRecords: number
  readonly signedRecords: number
}

const MARKS = { ok: 'ok      ', warning: 'warning ', error: 'ERROR   ' } as const

export const doctor: Run = async (given, output) => {
  const findings = await look(given)
  const errors = findings.filter(({ level }) => level === 'error').length
  output.result({ isOk: errors === 0, findings }, () =>
    findings.flatMap(({ level, what, detail, fix }) => [
      `${MARKS[level]}${what}: ${detail}`,
      ...(fix === undefined ? [] : [`        ${fix}`]),
    ]),
  )
  if (errors > 0)
    throw new Fault('cli/findings', { detail: `${errors} of ${findings.length} are errors` })
}

async function look(given: Given): Promise<readonly Finding[]> {
  const findings: Finding[] = []
  try {
    const signIn = readSignIn()
    findings.push(
      signIn === undefined
        ? warning(
            'sign-in',
            'none is stored',
            'Sign in with quorate kms login, or use KMS_TOKEN_FILE.',
          )
        : ok('sign-in', `${signInFile()}, readable for you only`),
    )
  } catch (fault) {
    if (!isFault(fault)) throw fault
    findings.push(error('sign-in', fault.message, fault.remedy))
  }
  try {
    const { client, address } = connectStranger(given)
    await client.call({ method: 'GET', target: '/api/v1/health' })
    findings.push(ok('server', address))
    const signedIn = await connectKms(given)
    const { body } = await signedIn.client.call<Status>({
      method: 'GET',
      target: '/api/v1/sys/status',
    })
    findings.push(ok('store', `${body.environment}, ${body.database}`))
    findings.push(
      body.rollback === 'detectable'
        ? ok('rollback', 'a store that is put back will be noticed')
        : warning(
            'rollback',
            body.rollback,
            'Set anchor.file to a place outside the data directory.',
          ),
    )
    if (body.staleRows > 0)
      findings.push(
        error(
          'rows',
          `${body.staleRows} are not what was written last`,
          'Look at store.rolled-back in the audit log.',
        ),
      )
    findings.push(ok('audit', `${body.signedRecords} of ${body.auditRecords} records are signed`))
  } catch (fault) {
    if (!isFault(fault)) throw fault
    findings.push(error('server', fault.message, fault.remedy))
  }
  return findings
}
