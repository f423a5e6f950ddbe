/** The tables of a node, as numbered migrations. A released one is never changed. */
import type { Migration } from '@quorate/platform'

export const MIGRATIONS: readonly Migration[] = [
  {
    number: 1,
    name: 'first tables',
    sql: `
      CREATE TABLE settings (name TEXT PRIMARY KEY, value BLOB NOT NULL) STRICT, WITHOUT ROWID;

      -- The chain of signed cluster records.
      CREATE TABLE cluster_records (number INTEGER PRIMARY KEY, record BLOB NOT NULL) STRICT;

      -- One row per generation of a wallet; sealed holds this node's share.
      CREATE TABLE wallets (
        wallet TEXT NOT NULL, generation INTEGER NOT NULL, sid BLOB NOT NULL,
        state TEXT NOT NULL CHECK (state IN ('pending', 'active')),
        project TEXT NOT NULL, label TEXT NOT NULL,
        public BLOB NOT NULL, sealed BLOB NOT NULL, receipts BLOB NOT NULL, proof BLOB,
        PRIMARY KEY (wallet, generation, sid)
      ) STRICT, WITHOUT ROWID;

      -- Sessions that may never run again.
      CREATE TABLE burnt_sessions (sid BLOB PRIMARY KEY, until INTEGER NOT NULL) STRICT, WITHOUT ROWID;

      -- What became of each request that costs something, by the client's idempotency key.
      CREATE TABLE requests (
        project TEXT NOT NULL, client TEXT NOT NULL, idempotency_key TEXT NOT NULL,
        operation TEXT NOT NULL UNIQUE, request_id TEXT NOT NULL, request_hash BLOB NOT NULL, kind TEXT NOT NULL,
        state TEXT NOT NULL CHECK (state IN ('running', 'done', 'failed')),
        result TEXT, created_at INTEGER NOT NULL, updated_at INTEGER NOT NULL, until INTEGER NOT NULL,
        PRIMARY KEY (project, client, idempotency_key)
      ) STRICT, WITHOUT ROWID;

      CREATE TABLE audit (seq INTEGER PRIMARY KEY, record BLOB NOT NULL, h BLOB NOT NULL) STRICT;
      CREATE TABLE checkpoints (seq INTEGER PRIMARY KEY, checkpoint BLOB NOT NULL) STRICT;

      -- The newest checkpoint of each other node, kept for it: its anchor outside its own directory.
      CREATE TABLE peer_checkpoints (node INTEGER PRIMARY KEY, seq INTEGER NOT NULL, checkpoint BLOB NOT NULL) STRICT;
    `,
  },
  {
    number: 2,
    name: 'auxiliary information and primes of CGGMP24',
    sql: `
      -- Auxiliary information of all nodes; sealed holds this node's secrets.
      CREATE TABLE aux (
        digest BLOB PRIMARY KEY, sid BLOB NOT NULL, level TEXT NOT NULL, request BLOB NOT NULL,
        public BLOB NOT NULL, sealed BLOB NOT NULL, created_at INTEGER NOT NULL
      ) STRICT, WITHOUT ROWID;

      -- Safe primes made ahead. A row goes when a session takes them, and never comes back.
      CREATE TABLE aux_primes (id BLOB PRIMARY KEY, level TEXT NOT NULL, sealed BLOB NOT NULL) STRICT, WITHOUT ROWID;
    `,
  },
]
