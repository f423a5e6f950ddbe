import { webcrypto } from 'node:crypto'
import type { Random } from '@quorate/base'

export const random: Random = {
  bytes: (length) => webcrypto.getRandomValues(new Uint8Array(length)),
}
