/**
 * Blind grants as files: the grant with the signatures of the administrators, and beside it the policy
 * whose hash it names. Administrators sign the file one after the other; the gateway finds the file of
 * a wallet by its label.
 */
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import {
  decodeBlindGrant,
  decodeSignedGrant,
  encodeSignedGrant,
  type PolicyChoice,
  type SignedBlindGrant,
} from '@quorate/api'
import { Fault, fromHex, isFault, toHex } from '@quorate/base'

export type GrantFile = { readonly policy: PolicyChoice; readonly signed: SignedBlindGrant }

/** For a label, what makes its wallet blind, or `undefined`. */
export type GrantFor = (
  label: string,
) => { readonly policy: PolicyChoice; readonly grant: Uint8Array } | undefined

/** The text of a grant's file. */
export const grantFileText = ({ policy, signed }: GrantFile): string =>
  `${JSON.stringify(
    {
      v: 1,
      policy: { template: policy.template, params: toHex(policy.params) },
      grant: toHex(encodeSignedGrant(signed)),
    },
    null,
    2,
  )}\n`

/** The grant in the text of a file. Nobody's signature has been checked. @throws gateway/bad-grant */
export function readGrantFile(text: string): GrantFile {
  try {
    const { policy, grant } = JSON.parse(text) as {
      readonly policy: { readonly template: string; readonly params: string }
      readonly grant: string
    }
    const signed = decodeSignedGrant(fromHex(grant))
    decodeBlindGrant(signed.grant)
    return { policy: { template: policy.template, params: fromHex(policy.params) }, signed }
  } catch (cause) {
    if (isFault(cause) || cause instanceof SyntaxError || cause instanceof TypeError)
      throw new Fault('gateway/bad-grant', { cause })
    throw cause
  }
}

const fileOf = (directory: string, label: string): string => join(directory, `${label}.grant`)

/** Looks into `directory` anew for each label, so that a grant counts as soon as it is there. */
export const grantsIn =
  (directory: string | undefined): GrantFor =>
  (label) => {
    // A label begins with a letter or digit and has no slash, so it names a file in the directory.
    if (directory === undefined || !existsSync(fileOf(directory, label))) return undefined
    const { policy, signed } = readGrantFile(readFileSync(fileOf(directory, label), 'utf8'))
    return { policy, grant: encodeSignedGrant(signed) }
  }
