/**
 * A cluster of one process that answers like a node, over a unix socket: it reads the signed request,
 * reads the transaction with the network's adapter and signs with a key that the test knows.
 */
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { buffer } from 'node:stream/consumers'
import {
  decodeRequest,
  type OperationJson,
  type SignatureJson,
  type WalletJson,
} from '@quorate/api'
import { fromHex, fromUtf8, type Id, toHex } from '@quorate/base'
import { findAdapter } from '@quorate/chains'
import { type ItemKey, NodeClient } from '@quorate/sdk'

const PROJECT = 'prj_00000000000000000000000001'
export const WALLET = 'wal_00000000000000000000000001'

export type FakeCluster = {
  readonly client: NodeClient
  /** What the last request asked to be signed. */
  readonly asked: { generation: number; path: readonly number[]; network: string }[]
  /** What the nodes say of the wallet; tests change it. */
  wallet: WalletJson
  /** What is done to the signatures before they are returned. */
  tamper: (signatures: readonly SignatureJson[]) => readonly SignatureJson[]
  close(): void
}

export async function startCluster(
  key: ItemKey,
  network: string,
  suite: string,
): Promise<FakeCluster> {
  const directory = mkdtempSync(join(tmpdir(), 'quorate-signers-'))
  const socketPath = join(directory, 'api')
  const { scheme, publicKey } = key
  const adapter = findAdapter(network, suite)
  const address = adapter.address({ scheme, publicKey })
  const client = new NodeClient({
    endpoint: { socketPath },
    cluster: new Uint8Array(32),
    credentials: [
      {
        client: 'cli_00000000000000000000000001' as Id<'cli'>,
        role: 'signer',
        project: PROJECT as Id<'prj'>,
        signer: {
          scheme: 'ed25519',
          publicKey: new Uint8Array(32),
          sign: () => Promise.resolve(new Uint8Array(64)),
        },
      },
    ],
    clock: { now: () => 1_800_000_000_000, monotonic: () => 0 },
    random: { bytes: (length) => new Uint8Array(length) },
    sleep: () => Promise.resolve(),
  })
  const cluster: FakeCluster = {
    client,
    asked: [],
    wallet: {
      id: WALLET,
      project: PROJECT,
      label: 'test',
      protocol: scheme === 'ecdsa-secp256k1' ? 'cggmp24' : 'frost',
      suite,
      scheme,
      network,
      caip2: adapter.network.caip2,
      threshold: 2,
      corruptionBound: 1,
      parties: 3,
      unsafeThreshold: false,
      blind: false,
      generation: 0,
      groupKey: toHex(publicKey),
      publicKey: toHex(publicKey),
      address,
      addresses: { [network]: address },
      policyHash: '00'.repeat(32),
      environment: 'development',
      createdAt: '2026-01-01T00:00:00.000Z',
    },
    tamper: (all) => all,
    close() {
      server.close()
      rmSync(directory, { recursive: true })
    },
  }

  async function sign(request: string): Promise<OperationJson> {
    const { body } = decodeRequest(fromHex(request))
    if (body.kind !== 'sign') throw new Error('not asked to sign')
    const intent = body.value
    cluster.asked.push(intent)
    const tx = findAdapter(intent.network, suite).parse({ ...intent, key: { scheme, publicKey } })
    const items = tx.prepare()
    const signatures = await Promise.all(
      items.map(async (item) => ({
        message: toHex(item.message),
        signature: toHex(await key.signItem(item)),
        publicKey: toHex(item.publicKey),
      })),
    )
    const time = '2026-01-01T00:00:00.000Z'
    return {
      id: 'op_00000000000000000000000001',
      kind: 'sign',
      state: 'done',
      project: PROJECT,
      requestId: intent.requestId,
      createdAt: time,
      updatedAt: time,
      result: {
        kind: 'sign',
        wallet: WALLET,
        network: intent.network,
        txid: '',
        unsigned: toHex(intent.unsigned),
        signed: '',
        signatures: cluster.tamper(signatures),
        signers: [1, 2],
        attempts: 1,
        receipts: [],
      },
    }
  }

  const server: Server = createServer((request, response) => {
    void (async () => {
      const answer =
        request.method === 'GET'
          ? cluster.wallet
          : await sign(
              (JSON.parse(fromUtf8(await buffer(request))!) as { request: string }).request,
            )
      response.setHeader('content-type', 'application/json')
      response.end(JSON.stringify(answer))
    })().catch((error: unknown) => {
      response.statusCode = 500
      response.end(String(error))
    })
  }).listen(socketPath)
  await once(server, 'listening')
  return cluster
}
