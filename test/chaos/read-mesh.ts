/** A cluster of processes that does not run yet, with somebody on every connection of its mesh who reads. */
import type { TestContext } from 'node:test'
import { type RequestBody, requestHash } from '@quorate/api'
import { acceptChain, checkHello, decodeSignedRecord } from '@quorate/auth'
import { toHex } from '@quorate/base'
import { verifyEd25519 } from '@quorate/enclave'
import { ProcessCluster } from '../support/process-cluster.ts'
import { MeshProxy } from './mesh-proxy.ts'
import type { Chance } from './random.ts'
import { CALM } from './storm.ts'
import { Witness } from './witness.ts'

export type ReadMesh = {
  readonly cluster: ProcessCluster
  readonly proxy: MeshProxy
  readonly witness: Witness
}

/** The proxy passes everything on as it is until told otherwise; all of it ends with the test. */
export async function readMesh(t: TestContext, size: number, chance: Chance): Promise<ReadMesh> {
  const cluster = await ProcessCluster.start(size, {
    leaveOut: Array.from({ length: size }, (_, i) => i + 1),
  })
  t.after(() => cluster.close())
  const accepted = acceptChain(cluster.chain.map(decodeSignedRecord), { verify: verifyEd25519 })
  const witness = new Witness(accepted)
  // A unix socket has no certificates, and nothing that only its two ends know.
  const none = new Uint8Array()
  const socket = { ownCertificate: none, peerCertificate: none, channel: none }
  const proxy = await MeshProxy.between(
    cluster,
    chance,
    {
      greeted(_from, role, hello) {
        const now = Date.now()
        const { signedEpoch } = checkHello(hello, {
          cluster: accepted,
          now,
          verify: verifyEd25519,
          connection: { role: role === 'dialler' ? 'listener' : 'dialler', ...socket },
        })
        witness.learn(signedEpoch, now)
      },
      saw: ({ bytes }) => witness.see(bytes),
    },
    CALM,
  )
  t.after(() => proxy.close())
  return { cluster, proxy, witness }
}

/** What names a request to sign in manifests, in hex. */
export const hashOf = ({ cluster, keys }: ProcessCluster, body: RequestBody): string =>
  toHex(requestHash({ v: 1, cluster, client: keys.signer.client, body }))
