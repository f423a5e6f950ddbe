/** All vendor profiles, by id and by guess. */
import { basename } from 'node:path'
import { Fault } from '@quorate/base'
import { LOCAL } from './local.ts'
import { NETWORK } from './network.ts'
import { generic, type Profile } from './profile.ts'

export const PROFILES: readonly Profile[] = [...NETWORK, ...LOCAL, generic]

/** @throws hsm/unknown-profile naming the known ones */
export function profileById(id: string): Profile {
  const found = PROFILES.find((profile) => profile.id === id)
  if (found !== undefined) return found
  throw new Fault('hsm/unknown-profile', {
    detail: `known profiles: ${PROFILES.map((profile) => profile.id).join(', ')}`,
  })
}

export type ProfileClues = {
  /** Path or file name of the module. */
  readonly library?: string
  /** CK_INFO's or CK_TOKEN_INFO's manufacturerID. */
  readonly manufacturer?: string
}

/**
 * The profile that file name and manufacturer point to; `generic` where they point to none. The file
 * name counts first, for tokens of several vendors share chips and with them a manufacturer.
 */
export function profileFor({ library = '', manufacturer = '' }: ProfileClues): Profile {
  const file = basename(library).toLowerCase()
  const maker = manufacturer.toLowerCase()
  const directory = library.toLowerCase()
  return (
    PROFILES.find(({ id }) => id === 'luna-cloud' && directory.includes('/dpod/')) ??
    PROFILES.find(({ hints }) => hints.files.some((part) => file.includes(part))) ??
    PROFILES.find(({ hints }) => hints.manufacturers.some((part) => maker.includes(part))) ??
    generic
  )
}
