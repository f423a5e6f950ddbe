/**
 * The signer process. Its one connection to the world is the socket pair inherited as descriptor 3;
 * when that closes, or anything unexpected is thrown, it ends, and every secret with it.
 */
import { Socket } from 'node:net'
import {
  armFailpoints,
  hardenProcess,
  steadyHeap,
  systemClock,
  systemRandom,
  systemTimers,
} from '@quorate/platform'
import { hostCalls, signerCalls } from '../channel/calls.ts'
import { openChannel } from '../channel/channel.ts'
import { portsOver } from './host-ports.ts'
import { Signer } from './signer.ts'

const CHANNEL_FD = 3

hardenProcess()
steadyHeap()
armFailpoints(process.env, { isDevelopment: process.env['QUORATE_ENVIRONMENT'] === 'development' })

const socket = new Socket({ fd: CHANNEL_FD, readable: true, writable: true })
socket.on('close', () => process.exit(0))
// Signals of a terminal go to the whole group; the daemon decides when its signer ends.
process.on('SIGINT', () => undefined)
process.on('SIGTERM', () => undefined)

const ports = portsOver(() => host, {
  clock: systemClock,
  random: systemRandom,
  timers: systemTimers,
})
const signer = new Signer(ports)
const host = openChannel(socket, hostCalls, signerCalls, signer)
