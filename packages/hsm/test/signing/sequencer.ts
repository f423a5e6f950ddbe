/** A sequencer as one finds it: it orders transactions and signs the head of each block with a key pair. */
import { createHash } from 'node:crypto'
import { concatBytes, utf8 } from '@quorate/base'
import { ed25519PublicKey, signEd25519 } from '#src/ed25519.js'

/** What it signed with before: a secret in its memory. */
export class KeyPair {
  readonly publicKey: Uint8Array
  readonly #secret: Uint8Array

  constructor(secret: Uint8Array) {
    this.#secret = secret
    this.publicKey = ed25519PublicKey(secret)
  }

  sign(message: Uint8Array): Uint8Array {
    return signEd25519(this.#secret, message)
  }
}

export type Block = { readonly header: Uint8Array; readonly signature: Uint8Array }

/** Whatever signs messages: nothing of it changes but what it is given. */
export type SigningKey = { sign(message: Uint8Array): Uint8Array | Promise<Uint8Array> }

export class Sequencer {
  readonly #key: SigningKey
  #height = 0

  constructor(key: SigningKey) {
    this.#key = key
  }

  async produce(transactions: readonly string[]): Promise<Block> {
    const hashes = transactions.map((each) => createHash('sha256').update(each).digest())
    const header = concatBytes(utf8(`block ${++this.#height} `), ...hashes)
    return { header, signature: await this.#key.sign(header) }
  }
}
