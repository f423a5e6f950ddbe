/** The same key in each of the four places where a signer finds one. */
import { after, before } from 'node:test'
import type { Scheme } from '@quorate/api'
import { findAdapter, suitesOf } from '@quorate/chains'
import {
  clusterWallet,
  type HsmSignInput,
  hsmKey,
  keySigner,
  localKey,
  managedKey,
  type WalletSigner,
} from '@quorate/sdk'
import { type FakeCluster, startCluster, WALLET } from './fake-cluster.js'
import { FakeHsm } from './fake-hsm.js'

export type Source = { readonly name: string; signer(): Promise<WalletSigner> }

export const SECRET: Uint8Array = new Uint8Array(32).fill(0x2a)

/** The suite of the network whose keys have that scheme. */
export const suiteOf = (network: string, scheme: Scheme): string =>
  suitesOf(network).find((suite) => findAdapter(network, suite).scheme === scheme)!

/** Starts and stops the cluster around the tests of the file that calls it. */
export function sourcesFor(network: string, scheme: Scheme): readonly Source[] {
  const key = localKey(scheme, SECRET)
  let cluster: FakeCluster
  before(async () => {
    cluster = await startCluster(key, network, suiteOf(network, scheme))
  })
  after(() => cluster.close())
  const local: Source = {
    name: 'a local key',
    signer: () => Promise.resolve(keySigner(network, key)),
  }
  const device: Source = {
    name: 'a key in a device',
    async signer() {
      const hsm = new FakeHsm()
      return keySigner(network, await hsmKey(hsm, hsm.add(scheme, SECRET)))
    },
  }
  const managed: Source = {
    name: 'a key manager',
    async signer() {
      const hsm = new FakeHsm()
      const id = hsm.add(scheme, SECRET)
      const { algorithm, publicKey } = await hsm.find({ id })
      const sign = (input: HsmSignInput): Promise<Uint8Array> => hsm.sign(id, input)
      return keySigner(network, managedKey({ algorithm, publicKey, sign }))
    },
  }
  const wallet: Source = {
    name: 'a wallet of a cluster',
    signer: () =>
      clusterWallet({ client: cluster.client, wallet: WALLET, address: cluster.wallet.address }),
  }
  return scheme === 'bip340-secp256k1' ? [local, wallet] : [local, device, managed, wallet]
}
