/** Tables of the store itself. One text for both engines: TEXT, BIGINT, BLOB; `);` alone on its line. */
export const STORAGE_TABLES = `
CREATE TABLE setting (
  name TEXT PRIMARY KEY,
  value BLOB NOT NULL
);

-- One row for each group of records that went to disk together: seq is the number of the last, first that of
-- the first. The head is the newest row; mac proves that this server wrote it.
CREATE TABLE audit (
  seq BIGINT PRIMARY KEY,
  first BIGINT NOT NULL,
  records BLOB NOT NULL,
  h BLOB NOT NULL,
  root BLOB NOT NULL,
  mac BLOB NOT NULL
);

CREATE TABLE checkpoint (
  seq BIGINT PRIMARY KEY,
  checkpoint BLOB NOT NULL
);

-- What every row holds now, 65536 buckets of leaves.
CREATE TABLE tree (
  bucket BIGINT PRIMARY KEY,
  leaves BLOB NOT NULL
);

-- Where each resumable job stands.
CREATE TABLE job (
  name TEXT PRIMARY KEY,
  state BLOB NOT NULL
);
`
