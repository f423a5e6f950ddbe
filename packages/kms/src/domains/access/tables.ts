/** Tables of identities, groups, roles, policies and requests, and of everything that one signs in with. */
export const ACCESS_TABLES = `
-- One row for each thing: body is its JSON. Whatever decides about somebody stands in few rows, so that a
-- row put back or taken away behind our back is found by its leaf.
CREATE TABLE access_document (
  id TEXT PRIMARY KEY,
  kind TEXT NOT NULL,
  project TEXT NOT NULL,
  name TEXT NOT NULL,
  version BIGINT NOT NULL,
  body TEXT NOT NULL
);
CREATE UNIQUE INDEX access_document_name ON access_document (kind, project, name);
CREATE INDEX access_document_list ON access_document (kind, project, id);

-- Tokens, client secrets and the bootstrap secret, by a keyed digest; none of them can be read back.
CREATE TABLE credential (
  digest BLOB PRIMARY KEY,
  id TEXT NOT NULL,
  kind TEXT NOT NULL,
  identity TEXT NOT NULL,
  expires_at BIGINT NOT NULL,
  uses_left BIGINT,
  version BIGINT NOT NULL,
  body TEXT NOT NULL
);
CREATE UNIQUE INDEX credential_id ON credential (id);
CREATE INDEX credential_identity ON credential (identity, kind, id);
CREATE INDEX credential_expires ON credential (expires_at);
`
