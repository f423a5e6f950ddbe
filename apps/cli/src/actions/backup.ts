/** backup recipients, now and verify, and node restore. */
import type { MadeBackupJson } from '@quorate/api'
import {
  fingerprintWords,
  nodeCardHash,
  RECIPIENT_KINDS,
  type Recipient,
  readNodeCard,
} from '@quorate/auth'
import { Fault, isFault, isName, toHex } from '@quorate/base'
import { newRecipientKey } from '@quorate/enclave'
import { type HsmProvider, hsmSealer } from '@quorate/hsm'
import { splitMnemonics } from '@quorate/math'
import { backupStopped, checkBackup, leaveDrill, makeCard, restoreNode } from '@quorate/node'
import { systemRandom } from '@quorate/platform'
import { readBackupFrom } from '../backup-source.ts'
import type { Given, Run } from '../command.ts'
import { connect } from '../connection.ts'
import { verifyEd25519 } from '../crypto.ts'
import { withLocalNode } from '../dev/open-node.ts'
import { isEnvironment } from '../environment.ts'
import { writeNew } from '../files.ts'
import { withHsm } from '../hsm-open.ts'
import type { Output } from '../output.ts'
import { readChain, readCluster } from '../records.ts'
import {
  readRecoverySecret,
  recipientJson,
  recoveryContext,
  recoveryLabel,
  secretText,
} from '../recovery.ts'
import { deliver } from './cluster.ts'

export const recipients: Run = async (given, output) => {
  const name = given.required('name')
  if (!isName(name)) throw new Fault('cli/bad-value', { detail: '--name takes a short label' })
  const kind = RECIPIENT_KINDS.find((each) => each === given.required('kind'))
  if (kind === undefined)
    throw new Fault('cli/bad-value', { detail: '--kind takes words, hsm or file' })
  const nodes = given.list('node').map(Number)
  if (nodes.some((index) => !Number.isInteger(index) || index < 1))
    throw new Fault('cli/bad-value', { detail: '--node takes the index of a node' })
  const { key, secret: made } = newRecipientKey()
  using secret = made
  const common = { name, kind, key, ...(nodes.length > 0 && { nodes }) }
  const out = given.required('out')
  if (kind === 'hsm') {
    const sealed = await withHsm(given, output, async ({ provider }) => {
      const sealer = hsmSealer(provider, await sealingKey(provider, recoveryLabel(name)))
      return sealer.seal(secret.expose(), recoveryContext(name))
    })
    return tell(output, out, { ...common, sealed }, [])
  }
  if (kind === 'file') {
    const path = given.required('secret-file')
    writeNew(path, secretText(secret))
    return tell(output, out, common, [])
  }
  const members = given.integer('shares', 1, 16) ?? 3
  const threshold = given.integer('threshold', 1, members) ?? Math.floor(members / 2) + 1
  const [shares = []] = splitMnemonics(secret.expose(), {
    groupThreshold: 1,
    groups: [{ threshold, members }],
    random: systemRandom,
  })
  tell(output, out, common, shares)
  output.note(
    `Any ${threshold} of these ${members} shares open the backups. They are shown this once:`,
  )
}

async function sealingKey(provider: HsmProvider, label: string) {
  try {
    return (await provider.find({ label })).id
  } catch (error) {
    if (!isFault(error, 'hsm/key-not-found')) throw error
    return (await provider.generateKey({ label, algorithm: 'aes-256' })).id
  }
}

function tell(output: Output, out: string, made: Recipient, shares: readonly string[]): void {
  writeNew(out, `${JSON.stringify(recipientJson(made), undefined, 2)}\n`)
  output.result({ ...recipientJson(made), file: out, ...(shares.length > 0 && { shares }) }, () => [
    ...shares,
    ...(shares.length === 0 ? [out] : []),
  ])
  output.note(
    `Name it in the next cluster record: quorate cluster propose --after … --recipient ${out}`,
  )
}

export const verify: Run = async (given, output) => {
  const { record } = readCluster(given.required('cluster'))
  const { file, place } = await readBackupFrom(given.argument(0))
  const secret = await readRecoverySecret(given, record.recipients ?? [])
  output.progress('opening the backup')
  const chain = readChain(given.required('cluster'))
  const { environment } = record
  const { nodeId, index, number, digest, createdAt, wallets, token } = await checkBackup({
    environment,
    file,
    secret,
    chain,
  })
  await leaveDrill(place, nodeId, { number, token })
  const at = new Date(createdAt).toISOString()
  output.result(
    { nodeId, node: index, number, digest: toHex(digest), createdAt: at, wallets },
    () => [
      `Backup ${number} of node ${index} (${nodeId}), made ${at}: ${wallets} wallets, every share good.`,
    ],
  )
  output.note('The node takes note of this drill at its next backup.')
}

export const now: Run = async (given, output) => {
  const { number, digest, place } = given.has('data')
    ? await nowStopped(given, output)
    : await (await connect(given)).client.call('makeBackup', { body: {} })
  output.result({ number, digest, place }, () => [`Backup ${number} is in ${place}`])
}

async function nowStopped(
  given: Given,
  output: Output,
): Promise<Pick<MadeBackupJson, 'number' | 'digest' | 'place'>> {
  const place = given.required('backup-dir')
  output.progress('opening the node')
  const { number, digest } = await withLocalNode(given, (node) => backupStopped(node, place))
  return { number, digest: toHex(digest), place }
}

export const restore: Run = async (given, output) => {
  const name = given.required('name')
  if (!isName(name)) throw new Fault('cli/bad-value', { detail: '--name takes a short label' })
  const path = given.required('cluster')
  const { record } = readCluster(path)
  checkEnvironment(given, record.environment)
  const { file } = await readBackupFrom(given.required('backup'))
  const secret = await readRecoverySecret(given, record.recipients ?? [])
  output.progress('opening the backup')
  const card = await withLocalNode(given, async (node) => {
    await restoreNode(node, { file, secret, chain: readChain(path) })
    return makeCard(node, name)
  })
  const { id, identityKey, custody, restores } = readNodeCard(card, verifyEd25519)
  const words = fingerprintWords(nodeCardHash(card)).join(' ')
  const { hex, where } = deliver(given, card)
  output.result(
    {
      id,
      name,
      node: restores?.index,
      backup: restores?.number,
      identityKey: toHex(identityKey),
      custody,
      words,
      card: hex,
    },
    () => [where],
  )
  output.note(
    `This machine can take the place of node ${restores?.index}, from backup ${restores?.number}.`,
    'It does so once the admins have signed a record made with: quorate cluster propose --after … --restore CARD',
    'Words to compare with whoever makes the record:',
    `  ${words}`,
  )
}

function checkEnvironment(given: Given, environment: string): void {
  const asked = given.text('environment')
  if (asked !== undefined && isEnvironment(asked) && asked !== environment)
    throw new Fault('auth/other-environment')
}
