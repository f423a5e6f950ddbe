/** Tables of the folders. `slot` is what two living folders cannot share: parent and name. */
export const FOLDER_TABLES = `
CREATE TABLE folder (
  id TEXT PRIMARY KEY,
  project TEXT NOT NULL,
  environment TEXT NOT NULL,
  slot TEXT UNIQUE,
  version BIGINT NOT NULL
);
CREATE INDEX folder_by_project ON folder (project, id);

-- Each change of a folder's name, place or imports is a version; parent is empty for the root.
CREATE TABLE folder_version (
  folder TEXT NOT NULL,
  version BIGINT NOT NULL,
  project TEXT NOT NULL,
  parent TEXT NOT NULL,
  name TEXT NOT NULL,
  imports TEXT NOT NULL,
  is_deleted BIGINT NOT NULL,
  content_of BIGINT NOT NULL,
  at BIGINT NOT NULL,
  actor TEXT NOT NULL,
  PRIMARY KEY (folder, version)
);
`
