/**
 * Tables of the secrets. A secret is a name in a folder, shared or of one owner; what it holds are its
 * versions, each sealed twice: `content` whole, and `label` without the value, for lists and search.
 */
export const SECRET_TABLES = `
CREATE TABLE secret (
  id TEXT PRIMARY KEY,
  project TEXT NOT NULL,
  folder TEXT NOT NULL,
  owner TEXT NOT NULL,
  version BIGINT NOT NULL,
  is_deleted BIGINT NOT NULL
);
CREATE INDEX secret_by_folder ON secret (folder, id);

-- The living secret of each name; name is a keyed hash. owner is empty for a shared one.
CREATE TABLE secret_name (
  folder TEXT NOT NULL,
  owner TEXT NOT NULL,
  name BLOB NOT NULL,
  secret TEXT NOT NULL,
  PRIMARY KEY (folder, owner, name)
);

CREATE TABLE secret_version (
  secret TEXT NOT NULL,
  version BIGINT NOT NULL,
  project TEXT NOT NULL,
  change TEXT NOT NULL,
  content_of BIGINT NOT NULL,
  at BIGINT NOT NULL,
  actor TEXT NOT NULL,
  label BLOB NOT NULL,
  content BLOB,
  PRIMARY KEY (secret, version)
);

-- Answers to requests that may be sent again, for a day.
CREATE TABLE secret_request (
  id TEXT PRIMARY KEY,
  project TEXT NOT NULL,
  body BLOB NOT NULL,
  answer BLOB NOT NULL,
  at BIGINT NOT NULL
);
CREATE INDEX secret_request_by_time ON secret_request (at);
`
