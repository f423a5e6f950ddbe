/** Which faults say something of the device, and not of the request that met them. */
import { type Fault, isFault } from '@quorate/base'
import { DeviceFault } from '../errors.ts'

const PIN_CODES: readonly string[] = [
  'hsm/pin-incorrect',
  'hsm/pin-final-try',
  'hsm/pin-locked',
  'hsm/pin-expired',
  'hsm/bad-pin',
]
const TROUBLE_CODES: readonly string[] = ['hsm/unavailable', 'hsm/token-absent']

const CKR_DEVICE_MEMORY = 0x31
const CKR_SESSION_COUNT = 0xb1
const CKR_CRYPTOKI_NOT_INITIALIZED = 0x190

/** Nobody may try again before an operator has looked: a few more attempts could lock the device. */
export const isAboutPin = (fault: Fault): boolean => PIN_CODES.includes(fault.code)

/** The device or its host did not do its work. Whether the operation was done is not known. */
export const isTrouble = (error: unknown): error is Fault =>
  isFault(error) && TROUBLE_CODES.includes(error.code)

/** It has enough to do as it is. */
export const isBusy = (fault: Fault): boolean => fault.code === 'hsm/busy'

/** It has no more sessions to give. */
export const lacksSessions = (fault: Fault): boolean =>
  isBusy(fault) &&
  fault instanceof DeviceFault &&
  (fault.ckr === CKR_SESSION_COUNT || fault.ckr === CKR_DEVICE_MEMORY)

/** Only a new process can go on. */
export const needsNewHost = (fault: Fault): boolean =>
  fault instanceof DeviceFault && fault.ckr === CKR_CRYPTOKI_NOT_INITIALIZED
