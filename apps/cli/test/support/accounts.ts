/** Wallets whose keys the tests know, as a cluster would list them. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { WalletJson } from '@quorate/api'
import { toHex } from '@quorate/base'
import { findAdapter, type SignedTx } from '@quorate/chains'
import { localKey } from '@quorate/sdk'
import { type Account, accountOf } from '#src/account.js'
import { type Command, type Given, parse } from '#src/command.js'
import { transferCommands } from '#src/commands/transfer.js'
import { scratch } from './cli.js'

const SECRET = new Uint8Array(32).fill(0x2a)

/** The account of a wallet of that suite, or of the default one of the network. */
export function accountOn(network: string, suite = findAdapter(network).suite): Account {
  const { scheme } = findAdapter(network, suite)
  const { publicKey } = localKey(scheme, SECRET)
  return accountOf({ network, suite, scheme, groupKey: toHex(publicKey) } as WalletJson)
}

/** The document as the wallet signs it. */
export async function signedBy(account: Account, unsigned: Uint8Array): Promise<SignedTx> {
  const { adapter, key } = account
  const tx = adapter.parse({ unsigned, context: new Uint8Array(0), key })
  const { signItem } = localKey(adapter.scheme, SECRET)
  const signatures = new Map<string, Uint8Array>()
  for (const item of tx.prepare()) signatures.set(item.id, await signItem(item))
  return tx.attach(signatures)
}

/** What these words give to the command. */
export function givenTo(name: string, ...words: readonly string[]): Promise<Given> {
  const command = transferCommands.find((each: Command) => each.name === name)
  if (command === undefined) throw new Error(`no command ${name}`)
  return parse(command, words)
}

/** The path of a new file that holds these bytes in hex. */
export function scratchFile(bytes: Uint8Array): string {
  const path = join(scratch(), 'bytes.hex')
  writeFileSync(path, toHex(bytes))
  return path
}
