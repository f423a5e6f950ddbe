import {
  broken,
  conflict,
  denied,
  type ErrorEntry,
  invalid,
  notFound,
  unavailable,
} from './entry.ts'

export const platformErrors = {
  'platform/bad-sql': broken([
    'a database statement or its parameters are not allowed',
    'Please report this with the version and the log.',
  ]),
  'platform/write-conflict': conflict([
    'the record was changed by somebody else in the meantime',
    'Read the current state and try again.',
  ]),
  'platform/constraint': conflict([
    'the change would break a rule of the database, such as uniqueness',
    'Read the current state; a record with this name or id may exist already.',
  ]),
  'platform/disk-full': unavailable(
    [
      'there is no space left for the data, and nothing was changed',
      'Free space on the disk of the data directory, or raise the size limit of the store.',
    ],
    507,
  ),
  'platform/database-busy': unavailable([
    'another process holds the database',
    'Close other programs that have the database file open, then try again.',
  ]),
  'platform/syslog-unreachable': unavailable([
    'the syslog server does not take messages',
    'Check its address, and whether it listens there for the protocol that is configured.',
  ]),
  'platform/overloaded': unavailable([
    'too much work is waiting already',
    'Wait a moment and try again; fewer requests at once also help.',
  ]),
  'platform/database-broken': unavailable([
    'the database could not be read or written, and takes no more writes',
    'Check the disk and the kernel log, then restart; if that fails, restore a backup.',
  ]),
  'platform/database-corrupt': unavailable([
    'the file is not a database of this program, or it is damaged',
    'Restore a backup. Keep the damaged file for analysis.',
  ]),
  'platform/database-closed': unavailable([
    'the database is closed',
    'The program is stopping; start it again.',
  ]),
  'platform/database-newer': conflict([
    'the database was made by a newer version',
    'Upgrade this program; databases are never converted backwards.',
  ]),
  'platform/migration-changed': conflict([
    'a migration that this database has run is not the one this program holds',
    'Use a release of this program; the database was made by a modified one.',
  ]),
  'platform/migration-failed': broken([
    'the database could not be converted, and was left as it was',
    'Please report this with the version and the log.',
  ]),
  'platform/no-database-driver': unavailable([
    'this system has no database driver',
    'Use Node 22.13 or newer, or install with optional dependencies (libsql).',
  ]),
  'platform/directory-in-use': conflict([
    'another process uses this data directory',
    'Stop that process first, or choose another directory with --data.',
  ]),
  'platform/directory-mode': denied([
    'others than the owner can reach the data directory',
    'Run: chmod 700 on the directory, and check who could read it until now.',
  ]),
  'platform/directory-owner': denied([
    'the data directory belongs to another user',
    'Run as the owner of the directory, or choose another with --data.',
  ]),
  'platform/no-directory': notFound([
    'the data directory is missing or is not a directory',
    'Check the path given with --data or QUORATE_HOME.',
  ]),
  'platform/file-unreadable': unavailable([
    'a file could not be read or written',
    'Check that it exists and that its permissions let this user in.',
  ]),
  'platform/file-too-large': invalid(
    ['the file is larger than allowed', 'Check that this is the file you meant.'],
    413,
  ),
  'platform/port-taken': conflict([
    'another program listens at this address',
    'Stop it, or choose another port or socket.',
  ]),
  'platform/cannot-listen': unavailable([
    'the address cannot be listened at',
    'Check the host name, the port (below 1024 needs rights) and the length of a socket path.',
  ]),
  'platform/unknown-setting': invalid([
    'there is no such setting',
    'Check the spelling; "quorate config show" lists every setting.',
  ]),
  'platform/bad-setting': invalid([
    'a setting has a value that it cannot take',
    'Correct the value; "quorate config show" says what each setting takes.',
  ]),
  'platform/settings-disagree': invalid([
    'two sources give the same setting different values',
    'Remove one of them.',
  ]),
  'platform/missing-setting': invalid([
    'a setting that has no default is missing',
    'Set it by flag, environment variable or in quorate.yaml.',
  ]),
  'platform/bad-config-file': invalid([
    'the configuration file cannot be understood',
    'Correct the YAML at the line given.',
  ]),
  'platform/unknown-failpoint': invalid([
    'there is no such failpoint, or no such action',
    'Names stand in failpoints.generated.ts; actions are crash, pause and error.',
  ]),
  'platform/failpoint': unavailable([
    'a failpoint was set off',
    'Failpoints are for tests: unset QUORATE_FAILPOINTS.',
  ]),
  'platform/failpoints-forbidden': denied([
    'failpoints are armed outside development',
    'Unset QUORATE_FAILPOINTS.',
  ]),
  'platform/refused-host': denied(
    [
      'the request names a host that this server does not answer for',
      'Use the address the server printed, or add the name to the allowed hosts.',
    ],
    421,
  ),
  'platform/refused-origin': denied([
    'requests from web pages are refused',
    'Use the command line or a client library, or list the origin in the configuration.',
  ]),
  'platform/not-json': invalid(
    ['the body must be JSON', 'Send content-type: application/json.'],
    415,
  ),
  'platform/malformed-json': invalid(['the body is not valid JSON', 'Correct the JSON text.']),
  'platform/invalid-request': invalid(
    ['the request does not have the documented form', 'Correct the field named in the detail.'],
    422,
  ),
  'platform/body-too-large': invalid(
    ['the body is larger than allowed', 'Send less at once; limits are in the documentation.'],
    413,
  ),
  'platform/malformed-request': invalid([
    'the request is not valid HTTP for this server',
    'Check the client, its headers and the length of the URL.',
  ]),
  'platform/request-timeout': unavailable(
    ['the request did not arrive in time', 'Send it again without pauses.'],
    408,
  ),
  'platform/no-route': notFound(['there is no such address on this server', 'Check the path.']),
  'platform/wrong-method': invalid(
    ['this address does not take this method', 'Use one of the methods in the Allow header.'],
    405,
  ),
  'platform/not-authenticated': denied(
    ['the request is not authenticated', 'Sign in, or sign the request with an enrolled key.'],
    401,
  ),
  'platform/frame-too-large': invalid(
    ['the message is larger than a frame may be', 'Send less at once.'],
    413,
  ),
  'platform/worker-died': unavailable([
    'the thread that did the work has ended',
    'Try again: another takes its place. If it happens again, look for a lack of memory.',
  ]),
  'platform/workers-closed': unavailable([
    'the work was given up because the program is stopping',
    'Start the program again.',
  ]),
  'platform/job-failed': broken([
    'a computation met an error that it did not expect',
    'Please report this with the version and the detail.',
  ]),
  'platform/job-cancelled': unavailable([
    'the work was cancelled before it was complete',
    'Nothing to do: whoever asked for it no longer wanted it.',
  ]),
  'platform/bad-credentials': invalid([
    'the credentials file of the message broker holds neither an nkey seed nor a JWT with its seed',
    'Give the file that nk or nsc wrote for this node: nats.credentials in the configuration.',
  ]),
  'platform/broker-closed': unavailable([
    'the connection to the message broker was closed because the program is stopping',
    'Start the program again.',
  ]),
  'platform/broker-unavailable': unavailable([
    'the message broker did not do what was asked of it',
    'Check that the NATS server runs with JetStream and that this user has the permissions in deploy/nats.',
  ]),
  'platform/queue-mismatch': conflict([
    'a stream or consumer of the request queue is not set up as this program needs it',
    'Delete it on the NATS server, or choose another nats.prefix; this program then makes its own.',
  ]),
  'platform/queue-full': unavailable(
    ['the request queue is full', 'Wait a moment and try again; fewer requests at once also help.'],
    429,
  ),
  'platform/discovery-unavailable': unavailable([
    'the discovery service did not answer as documented',
    'Check its address, its token and its log; nodes that are connected are not affected.',
  ]),
  'platform/unknown-peer': invalid([
    'there is no peer with this index',
    'Use an index of the cluster record other than your own.',
  ]),
  'platform/bad-blob-key': invalid([
    'the name of the object is not allowed',
    'Use letters, digits, dots, dashes and underscores, in parts joined by slashes.',
  ]),
  'platform/bad-blob-store': invalid([
    'that is no place for backups',
    'Give a directory, or s3://BUCKET/PREFIX?region=REGION with credentials in AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY.',
  ]),
  'platform/no-blob': notFound([
    'there is no object of that name',
    'List what is there; it may have been deleted.',
  ]),
  'platform/blob-store-failed': unavailable([
    'the place for backups does not do what it was asked',
    'Check its address, the credentials and what they permit, and the network.',
  ]),
} as const satisfies Record<string, ErrorEntry>
