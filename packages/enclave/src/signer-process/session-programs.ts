/**
 * The protocols that can run in a worker, by name. Inputs and outputs are plain data; secrets in
 * them are `Secret`s of bytes and move, so that each is in one place at a time. Secrets of an input
 * are wiped when the session has ended; copies that a program makes of them are its own to `keep`.
 */
import { CGGMP24_PROGRAMS } from './programs-cggmp24.ts'
import { FROST_PROGRAMS } from './programs-frost.ts'

export const PROGRAMS = { ...FROST_PROGRAMS, ...CGGMP24_PROGRAMS } as const
