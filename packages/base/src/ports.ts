/**
 * What pure code may ask of the outside world. Composition roots supply the real ones,
 * tests supply their own; nothing below `platform` reaches a clock, a socket or an entropy source
 * in any other way.
 */

export type Clock = {
  /** Milliseconds since the Unix epoch. Can jump. */
  now(): number
  /** Milliseconds that only ever grow; for timeouts. */
  monotonic(): number
}

export type Random = {
  /** `length` uniform bytes from a cryptographic source. */
  bytes(length: number): Uint8Array
}

export type LogLevel = 'debug' | 'info' | 'warn' | 'error'
/** Values that may be logged. A `Secret` is none of them. */
export type LogFields = { readonly [name: string]: string | number | bigint | boolean | undefined }
export type Logger = {
  log(level: LogLevel, event: string, fields?: LogFields): void
  /** A logger that adds `fields` to every line. */
  with(fields: LogFields): Logger
}

export type Meter = {
  count(name: string, by?: number, labels?: { readonly [name: string]: string }): void
  observe(name: string, value: number, labels?: { readonly [name: string]: string }): void
}

/** A key that signs whole messages. Where the key lives is the implementation's business. */
export type Signer = {
  readonly scheme: 'ed25519'
  /** 32 bytes. */
  readonly publicKey: Uint8Array
  /** 64 bytes over exactly `message`. */
  sign(message: Uint8Array): Promise<Uint8Array>
}

/** Authenticated encryption whose key never leaves its holder. */
export type Sealer = {
  seal(plaintext: Uint8Array, context: Uint8Array): Promise<Uint8Array>
  /** Fails with one and the same fault for a wrong key, context or ciphertext. */
  open(sealed: Uint8Array, context: Uint8Array): Promise<Uint8Array>
}

/** A number that survives restarts and restores, and never goes down. */
export type MonotonicCounter = {
  read(): Promise<bigint>
  increment(): Promise<bigint>
}

/** Where finished audit records go, besides the store that holds the chain. */
export type AuditSink = {
  /** Resolves once the record would survive a crash. */
  append(record: Uint8Array): Promise<void>
}
