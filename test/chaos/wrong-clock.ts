/**
 * Loaded before anything else, `?offset=` a file: the wall clock of this process is wrong by as many
 * seconds as the file says at that moment. Its monotonic clock and timers are right.
 */
import { readFileSync } from 'node:fs'

const file = new URL(import.meta.url).searchParams.get('offset') ?? ''
const trueNow = Date.now.bind(Date)
Date.now = () => trueNow() + 1000 * Number(readFileSync(file, 'utf8') || '0')
