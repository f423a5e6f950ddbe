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
  {
    number: 3,
    name: 'requests that wait, budgets, policies, what became of requests',
    sql: `
      CREATE TABLE operations (
        project TEXT NOT NULL, client TEXT NOT NULL, idempotency_key TEXT NOT NULL,
        operation TEXT NOT NULL UNIQUE, request_id TEXT NOT NULL, request_hash BLOB NOT NULL, kind TEXT NOT NULL,
        state TEXT NOT NULL CHECK (state IN ('running', 'waiting', 'done', 'failed')),
        result TEXT, created_at INTEGER NOT NULL, updated_at INTEGER NOT NULL, until INTEGER NOT NULL,
        -- What the client signed, while it waits.
        request BLOB,
        PRIMARY KEY (project, client, idempotency_key)
      ) STRICT, WITHOUT ROWID;
      INSERT INTO operations (project, client, idempotency_key, operation, request_id, request_hash, kind, state, result, created_at, updated_at, until)
        SELECT project, client, idempotency_key, operation, request_id, request_hash, kind, state, result, created_at, updated_at, until FROM requests;
      DROP TABLE requests;

      -- Clients' requests that this node took part in, and what came of them.
      CREATE TABLE seen_requests (
        client TEXT NOT NULL, request_id TEXT NOT NULL, hash BLOB NOT NULL UNIQUE, until INTEGER NOT NULL, answer BLOB,
        PRIMARY KEY (client, request_id)
      ) STRICT, WITHOUT ROWID;

      -- What sessions are charged to the cumulative limits of their wallets.
      CREATE TABLE ledger (
        session BLOB PRIMARY KEY, wallet TEXT NOT NULL, until INTEGER NOT NULL, entry BLOB NOT NULL
      ) STRICT, WITHOUT ROWID;
      CREATE TABLE ledger_times (wallet TEXT PRIMARY KEY, time INTEGER NOT NULL) STRICT, WITHOUT ROWID;

      -- Requests that wait for approvals or for a delay to pass.
      CREATE TABLE waiting_requests (
        hash BLOB PRIMARY KEY, request BLOB NOT NULL, since INTEGER NOT NULL, until INTEGER NOT NULL,
        approvals BLOB NOT NULL, is_led INTEGER NOT NULL
      ) STRICT, WITHOUT ROWID;

      -- Changes of wallets' policies: voted for, or in force.
      CREATE TABLE policies (
        wallet TEXT NOT NULL, version INTEGER NOT NULL, state TEXT NOT NULL CHECK (state IN ('voted', 'inForce')),
        link BLOB NOT NULL,
        PRIMARY KEY (wallet, version)
      ) STRICT, WITHOUT ROWID;
    `,
  },
  {
    number: 4,
    name: 'what wallets were asked to sign',
    sql: `
      -- Signed requests of clients, for people who want to see what another policy would have said to them.
      CREATE TABLE past_requests (
        wallet TEXT NOT NULL, operation TEXT NOT NULL, request BLOB NOT NULL, until INTEGER NOT NULL,
        PRIMARY KEY (wallet, operation)
      ) STRICT, WITHOUT ROWID;
    `,
  },
  {
    number: 5,
    name: 'backups',
    sql: `
      -- Backups of this node; one that it was restored from has an empty head.
      CREATE TABLE backups (
        number INTEGER PRIMARY KEY, digest BLOB NOT NULL, generation BLOB NOT NULL, drill BLOB NOT NULL,
        head BLOB NOT NULL, created_at INTEGER NOT NULL, is_kept INTEGER NOT NULL
      ) STRICT;

      -- The newest backup of each other machine, as that machine signed it: kept for whoever takes its place.
      CREATE TABLE peer_backups (
        node_id TEXT PRIMARY KEY, node INTEGER NOT NULL, number INTEGER NOT NULL, head BLOB NOT NULL
      ) STRICT, WITHOUT ROWID;
    `,
  },
]
