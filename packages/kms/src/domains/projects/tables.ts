/**
 * Tables of the projects and their environments. Names of projects, environments and folders are the
 * words in which roles and audit records speak, so they stand in the clear; the tree vouches for them.
 */
export const PROJECT_TABLES = `
CREATE TABLE project (
  id TEXT PRIMARY KEY,
  name TEXT NOT NULL UNIQUE,
  version BIGINT NOT NULL,
  created_at BIGINT NOT NULL,
  created_by TEXT NOT NULL
);

CREATE TABLE environment (
  id TEXT PRIMARY KEY,
  project TEXT NOT NULL,
  slug TEXT NOT NULL,
  name TEXT NOT NULL,
  root TEXT NOT NULL,
  version BIGINT NOT NULL,
  created_at BIGINT NOT NULL,
  UNIQUE (project, slug)
);
`
