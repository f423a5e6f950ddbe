/** hsm backup init, now, list and drill, and hsm restore. */
import { Fault, toHex } from '@quorate/base'
import {
  type Backup,
  Backups,
  type HsmState,
  initBackupKeys,
  joinBackupKeys,
  type ListedBackup,
  makeBackupKeys,
  rotationConfigOf,
} from '@quorate/hsm'
import { openBlobStore, systemClock, systemRandom } from '@quorate/platform'
import type { Given, Run } from '../command.ts'
import { type CommandHsm, withHsm } from '../hsm-open.ts'
import { withState } from '../hsm-state.ts'
import { type Output, table } from '../output.ts'
import { wordsIn } from '../recovery.ts'

export const init: Run = (given, output) => {
  const files = given.list('share-file')
  const isInDevice = given.flag('in-device')
  const members = given.integer('shares', 1, 16) ?? 3
  const threshold = given.integer('threshold', 1, members) ?? Math.floor(members / 2) + 1
  if (isInDevice && files.length > 0)
    throw new Fault('cli/bad-value', { detail: '--in-device and --share-file exclude each other' })
  return withHsm(given, output, async ({ provider }) => {
    if (isInDevice) {
      const keys = await makeBackupKeys(provider)
      output.result(keys, () => ['The HSM made its backup key. It has no shares.'])
      output.note('Only the means of its vendor bring that key to another device.')
      return
    }
    if (files.length > 0) {
      const keys = await joinBackupKeys(provider, files.map(wordsIn))
      output.result(keys, () => [`The HSM holds the backup key ${keys.kek}.`])
      return
    }
    const { keys, shares } = await initBackupKeys(provider, { threshold, members }, systemRandom)
    output.result({ ...keys, threshold, shares }, () => shares)
    output.note(
      `Any ${threshold} of these ${members} shares bring the backup key to another HSM. They are shown this once:`,
      'quorate hsm backup init --share-file … puts them into it.',
    )
  })
}

/** What `use` gives, with the backups of the HSM where the options or its configuration say that they are. */
function withBackups<T>(
  given: Given,
  output: Output,
  use: (backups: Backups, hsm: CommandHsm) => Promise<T>,
): Promise<T> {
  return withHsm(given, output, (hsm) =>
    withState(given, async (state) => use(await backupsOf(given, hsm, state), hsm)),
  )
}

async function backupsOf(
  given: Given,
  { provider, device }: CommandHsm,
  state: HsmState,
): Promise<Backups> {
  const { backupLocation, backupsKept } = rotationConfigOf(device.sections)
  const location = given.text('location') ?? backupLocation
  if (location === undefined)
    throw new Fault('cli/missing-argument', {
      detail: '--location, or rotation.backupLocation in the configuration of the HSM',
    })
  return new Backups({
    provider,
    environment: device.config.environment,
    place: await openBlobStore(location, process.env),
    state,
    clock: systemClock,
    random: systemRandom,
    kept: backupsKept,
  })
}

const keyJson = ({
  id,
  label,
  algorithm,
  publicKey,
  isCarried,
}: Backup['keys'][number]): object => ({
  id,
  label,
  algorithm,
  publicKey: publicKey === undefined ? null : toHex(publicKey),
  isCarried,
})

const backupJson = ({ chain, number, createdAt, keys, notTaken, device, environment }: Backup) => ({
  chain: toHex(chain),
  number,
  createdAt: new Date(createdAt).toISOString(),
  environment,
  device,
  keys: keys.map(keyJson),
  notTaken,
})

const missingLines = ({ notTaken }: Backup): readonly string[] =>
  notTaken.length === 0
    ? []
    : [
        'NOT BACKED UP: the loss of the HSM loses these keys',
        ...table(notTaken.map(({ label, id, reason }) => [`  ${label}`, id, reason])),
      ]

export const now: Run = (given, output) =>
  withBackups(given, output, async (backups) => {
    output.progress('making the backup')
    const { backup, name, digest } = await backups.make()
    const json = { name, place: backups.place, digest: toHex(digest), ...backupJson(backup) }
    output.result(json, () => [
      `Backup ${backup.number} with ${backup.keys.length} keys is in ${backups.place}: ${name}`,
      ...missingLines(backup),
    ])
  })

const listedRow = (listed: ListedBackup): readonly string[] => {
  const mark = listed.isNewest ? '  newest' : ''
  if ('trouble' in listed) return [listed.name, '-', '-', `${listed.trouble}${mark}`]
  const { createdAt, keys, notTaken } = listed.backup
  const missing = notTaken.length === 0 ? 'whole' : `${notTaken.length} keys not taken`
  return [listed.name, new Date(createdAt).toISOString(), String(keys.length), `${missing}${mark}`]
}

export const list: Run = (given, output) =>
  withBackups(given, output, async (backups) => {
    const listed = await backups.list()
    const items = listed.map((each) => ({
      name: each.name,
      size: each.size,
      isNewest: each.isNewest,
      ...('trouble' in each ? { trouble: each.trouble } : backupJson(each.backup)),
    }))
    output.result({ place: backups.place, items }, () =>
      listed.length === 0
        ? [`There is no backup in ${backups.place}.`]
        : table([['NAME', 'MADE', 'KEYS', 'STATE'], ...listed.map(listedRow)]),
    )
    if (listed.some((each) => 'trouble' in each)) throw new Fault('cli/does-not-verify')
  })

export const drill: Run = (given, output) =>
  withBackups(given, output, async (backups) => {
    output.progress('restoring every key for trial')
    const { backup } = await backups.drill(given.text('backup'))
    output.result({ ...backupJson(backup), drilledAt: new Date().toISOString() }, () => [
      `All ${backup.keys.length} keys of backup ${backup.number} came back as they were, and are destroyed again.`,
      ...missingLines(backup),
    ])
  })

export const restore: Run = (given, output) =>
  withBackups(given, output, async (backups, { hosted }) => {
    output.progress('restoring the keys')
    const { opened, keys } = await backups.restore(given.text('backup'))
    const facts = new Map(
      (await hosted?.objects())
        ?.filter(({ class: kind }) => kind !== 'CKO_PUBLIC_KEY')
        .map(({ id, flags }) => [id, flags]),
    )
    const restored = keys.map(({ key, outcome }) => ({
      id: key.id,
      label: key.label,
      algorithm: key.algorithm,
      publicKey: key.publicKey === undefined ? null : toHex(key.publicKey),
      outcome,
      isExtractable: key.isExtractable,
      isSensitive: key.isSensitive,
      neverExtractable: facts.get(key.id)?.['NEVER_EXTRACTABLE'] ?? null,
      local: facts.get(key.id)?.['LOCAL'] ?? null,
    }))
    const { backup } = opened
    output.result({ number: backup.number, keys: restored, notTaken: backup.notTaken }, () => [
      `The HSM holds the ${keys.length} keys of backup ${backup.number}.`,
      ...table([
        ['LABEL', 'ID', 'PUBLIC KEY', ''],
        ...restored.map(({ label, id, publicKey, outcome }) => [
          label,
          id,
          publicKey ?? '-',
          outcome === 'there' ? 'was there' : 'restored',
        ]),
      ]),
      ...missingLines(backup),
    ])
    output.note(
      'Restored keys stay in the HSM from now on. Their history is told as it is: not made here (CKA_LOCAL false),',
      'and once able to leave (CKA_NEVER_EXTRACTABLE false).',
    )
  })
