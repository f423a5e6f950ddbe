/** Opens a backup on a new machine, in a process of its own that a failpoint may end; what to do comes as JSON. */
import { readFileSync } from 'node:fs'
import { fromHex } from '@quorate/base'
import { openLocal, restoreNode } from '@quorate/node'
import { armFailpoints } from '@quorate/platform'
import { nodeConfigOf, type ProcessConfig } from './node-config.ts'
import { silent } from './process-cluster.ts'

const { config, file, secret, chain } = JSON.parse(readFileSync(0, 'utf8')) as {
  readonly config: ProcessConfig
  readonly file: string
  readonly secret: string
  readonly chain: readonly string[]
}
armFailpoints(process.env, { isDevelopment: true })
const local = await openLocal({ ...nodeConfigOf(config), logger: silent })
await restoreNode(local, {
  file: fromHex(file),
  secret: fromHex(secret),
  chain: chain.map((each) => fromHex(each)),
})
await local.close()
