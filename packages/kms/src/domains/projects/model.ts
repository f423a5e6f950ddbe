/** A project: the tenant. Everything else lies in one. */
import type { Id } from '@quorate/base'

export type Project = {
  readonly id: Id<'prj'>
  /** A label, unique among all projects; see `isName` of base. */
  readonly name: string
  readonly version: number
  /** Milliseconds since the epoch. */
  readonly createdAt: number
  readonly createdBy: string
}

/** Environments that a new project begins with, unless others are named. */
export const FIRST_ENVIRONMENTS: readonly string[] = ['development', 'staging', 'production']
/** Where requests go that name none. */
export const DEFAULT_ENVIRONMENT = 'development'
