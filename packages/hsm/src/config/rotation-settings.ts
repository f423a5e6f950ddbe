/** The section of rotation and backups, by every name that is in use for its settings. */
import { settingType } from '@quorate/platform'
import { ROLE_NAME } from '../roles/bindings.ts'
import { OLD_KEYS } from '../rotation/config.ts'
import { CONSUMER_NAME } from '../rotation/record.ts'
import { MAX_INTERVAL_DAYS } from '../rotation/schedule.ts'
import { type SectionTable, section } from './section.ts'

const { boolean, choice, integer, list, text } = settingType

const days = integer(0, MAX_INTERVAL_DAYS)
const role = text(ROLE_NAME, 'the name of a role, such as transaction_signer')
const name = text(CONSUMER_NAME, 'a name of letters, digits, . _ and -')

export const ROTATION_SETTINGS: SectionTable = {
  'rotation.enabled': section(boolean),
  'rotation.intervalDays': section(days, 'intervalDays'),
  'rotation.overlapDays': section(days, 'overlapDays'),
  'rotation.rotationTime': section(
    text(/^[\d:]{1,8}$/, 'a time of day, e.g. 02:30:00'),
    'rotationTime',
  ),
  'rotation.timeZone': section(
    text(/^[\w+/-]{1,64}$/, 'a time zone, e.g. Europe/Berlin'),
    'timeZone',
  ),
  'rotation.backupEnabled': section(boolean, 'backupEnabled'),
  'rotation.backupLocation': section(
    text(/^\S.{0,1000}$/, 'a directory, or s3://BUCKET/PREFIX'),
    'backupLocation',
  ),
  'rotation.backupsKept': section(integer(1, 1000)),
  'rotation.roles': section(list(role)),
  'rotation.consumers': section(list(name)),
  'rotation.oldKeys': section(choice(...OLD_KEYS)),
}
