/** The backups of a node: whether they are made, and whether anybody ever opened one. */
import type { StatusJson } from '@quorate/api'
import { error, type Finding, warning } from './finding.ts'

/** What stands in the way of a restore. Nothing is asked of a development node that makes no backups. */
export function backupFindings(what: string, status: StatusJson): readonly Finding[] {
  const { backup, environment } = status
  if (backup === undefined) return []
  const findings: Finding[] = []
  const bad = environment === 'development' ? warning : error
  if (!backup.isEnabled) {
    if (environment !== 'development')
      findings.push(
        error(what, 'it makes no backups', 'Set backup.dir, and name recipients in the record.'),
      )
    return findings
  }
  if (backup.failure !== undefined)
    findings.push(
      error(what, `its last backup failed: ${backup.failure}`, 'quorate logs shows more of it.'),
    )
  if (backup.newest === undefined) findings.push(bad(what, 'it has no backup yet', 'Wait for one.'))
  else if (backup.drilledAt === undefined)
    findings.push(
      bad(
        what,
        'nobody has ever opened one of its backups',
        'Pass a restore drill: quorate backup verify.',
      ),
    )
  if (backup.unrefreshed !== undefined && backup.unrefreshed > 0)
    findings.push(
      bad(
        what,
        `it was restored, and ${backup.unrefreshed} wallets are not refreshed since`,
        'quorate wallet refresh, while all nodes run.',
      ),
    )
  return findings
}
