/** Tables of the barrier. Every key in them is wrapped. */
export const BARRIER_TABLES = `
-- The instance key of each term, once for every recipient that can open it.
CREATE TABLE instance_key (
  term BIGINT NOT NULL,
  recipient TEXT NOT NULL,
  kind TEXT NOT NULL,
  params BLOB NOT NULL,
  wrapped BLOB NOT NULL,
  created_at BIGINT NOT NULL,
  PRIMARY KEY (term, recipient)
);

CREATE TABLE project_key (
  project TEXT NOT NULL,
  version BIGINT NOT NULL,
  term BIGINT NOT NULL,
  wrapped BLOB NOT NULL,
  seals BIGINT NOT NULL,
  created_at BIGINT NOT NULL,
  PRIMARY KEY (project, version)
);
`
