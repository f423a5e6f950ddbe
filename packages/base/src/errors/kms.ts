import {
  broken,
  conflict,
  denied,
  type ErrorEntry,
  invalid,
  notFound,
  unavailable,
} from './entry.ts'

export const kmsErrors = {
  'kms/internal': broken([
    'the KMS met an error that it did not expect',
    'Look in the log of the KMS for the request id, and please report it.',
  ]),
  'kms/no-environment': invalid([
    'the environment is not given',
    'Say development, staging or production: --environment, QUORATE_ENVIRONMENT or the file.',
  ]),
  'kms/environment-changed': conflict([
    'this store was made for another environment',
    'Start it in the environment it was made for; stores never change theirs.',
  ]),
  'kms/loopback-only': invalid([
    'a development KMS listens on loopback addresses and unix sockets only',
    'Use 127.0.0.1, [::1] or a socket path, or set up a staging store.',
  ]),
  'kms/sealed': unavailable([
    'the KMS is sealed: it holds no key',
    'Unseal it: quorate kms unseal, with the HSM or with enough recovery shares.',
  ]),
  'kms/does-not-open': conflict([
    'a stored value does not open at the place where it stands',
    'The store was altered or mixed with another one. Keep it for analysis, and restore a backup.',
  ]),
  'kms/rolled-back': conflict([
    'the store holds something older than, or other than, what this KMS wrote last',
    'Keep it for analysis. Put the newest data back, or restore a backup and accept the rollback.',
  ]),
  'kms/no-recipient': conflict([
    'none of the recipients of the instance key can open it here',
    'Start with the HSM that the store was made with, or unseal with recovery shares.',
  ]),
  'kms/unfit-hsm': conflict([
    'the HSM cannot do what a root key needs',
    'Use a token that makes AES-256 keys; quorate hsm doctor shows what this one can do.',
  ]),
  'kms/only-software': denied([
    'the instance key would be protected by software only',
    'Outside development give an HSM, and keep ENCRYPTION_KEY as a further recipient at most.',
  ]),
  'kms/bad-share': invalid([
    'a recovery share is not one of this store, or it has a slip',
    'Check the words; each share says by its checksum whether it was copied rightly.',
  ]),
  'kms/last-recipient': conflict([
    'the last recipient of the instance key cannot be removed',
    'Add another one first.',
  ]),
  'kms/audit-backlog': unavailable([
    'too many audit records wait for a sink that does not take them',
    'Bring the sink back, or take it out of the configuration; nothing is answered unrecorded.',
  ]),
  'kms/no-recovery': conflict([
    'a backup now could be opened by nobody but this machine',
    'Make recovery shares first: quorate kms recipients create, or configure a second HSM.',
  ]),
  'kms/backup-unreadable': invalid([
    'the backup cannot be opened',
    'Check the file and the shares or the HSM; a backup opens for its recovery recipients only.',
  ]),
  'kms/restore-pending': conflict([
    'the database was restored, and nobody has accepted the rollback yet',
    'A quorum accepts it: quorate kms unseal --share-file FILE --accept-checkpoint N. quorate kms restore does it at once.',
  ]),
  'kms/not-sealed': conflict([
    'a record that would be pruned is not in a sealed segment',
    'Seal first: quorate kms audit seal. Where the file of a segment is missing or altered, bring it back.',
  ]),
  'kms/segment-unreadable': invalid([
    'that is no sealed segment of an audit log',
    'Name files as quorate kms audit seal wrote them: segment-….jsonl.',
  ]),
  'kms/not-empty': conflict([
    'the data directory holds a store already',
    'Restore into an empty directory.',
  ]),
  'kms/not-found': notFound(['there is no such thing here', 'Check the id and the project.']),
  'kms/bad-path': invalid([
    'that is no path of a folder',
    'Write / or /a/b: letters, digits, - and _, at most 16 folders deep.',
  ]),
  'kms/bad-name': invalid([
    'that name cannot be used',
    'Secrets: a letter or _, then letters, digits, _ . and -. Environments: lower case and -. Folders: no dots.',
  ]),
  'kms/bad-secret': invalid([
    'a secret cannot be stored like that',
    'Text is UTF-8 of at most 256 KiB, bytes are base64 of at most 512 KiB, a comment is short.',
  ]),
  'kms/bad-file': invalid([
    'the file cannot be read as the format that was named',
    'See docs/spec/secret-files.md for what .env, JSON and YAML may hold.',
  ]),
  'kms/bad-reference': invalid([
    'a reference in the value is not well formed',
    'See docs/spec/secret-references.md for how they are written; for plain text double the dollar sign, or give --literal.',
  ]),
  'kms/reference-missing': conflict([
    'what a reference names does not exist',
    'Create it, or correct the reference that the path above ends with.',
  ]),
  'kms/reference-denied': denied([
    'you may not read what a reference names',
    'Ask for secret.read on the last secret of the path above.',
  ]),
  'kms/reference-cycle': conflict([
    'references lead back to where they began',
    'Take one reference of the path above out.',
  ]),
  'kms/reference-depth': conflict([
    'references are nested too deeply',
    'At most 32 references may lead to one another; shorten the path above.',
  ]),
  'kms/reference-limit': conflict([
    'a value with its references has no reasonable size',
    'It may follow 1024 references and grow to 1 MiB; look at the secret that the path above ends with.',
  ]),
  'kms/reference-binary': conflict([
    'a reference names a secret that holds bytes and no text',
    'Store it as text, or read it by itself.',
  ]),
  'kms/import-missing': conflict([
    'a folder that is imported does not exist',
    'Take the import out, or restore the folder that the path above ends with.',
  ]),
  'kms/import-denied': denied([
    'you may not read a folder that is imported',
    'Ask for secret.read there, or read without imports.',
  ]),
  'kms/import-cycle': conflict([
    'imports lead back to where they began',
    'Take one import of the path above out.',
  ]),
  'kms/import-depth': conflict([
    'imports are nested too deeply',
    'At most 32 folders may import one another; shorten the path above.',
  ]),
  'kms/no-project': notFound([
    'there is no such project, or none was named and the token has no default',
    'quorate kms projects list shows the projects you are in.',
  ]),
  'kms/no-such-environment': notFound([
    'the project has no such environment',
    'quorate kms env list shows its environments.',
  ]),
  'kms/no-folder': notFound([
    'there is no such folder',
    'quorate kms folders list shows what there is; folders create makes one.',
  ]),
  'kms/no-secret': notFound([
    'there is no such secret',
    'quorate kms secrets list shows what there is; check environment and path.',
  ]),
  'kms/no-version': notFound([
    'the secret has no such version',
    'quorate kms secrets history shows its versions.',
  ]),
  'kms/name-taken': conflict(['the name is taken', 'Choose another name, or change what has it.']),
  'kms/still-used': conflict(['it still holds something', 'Delete what is in it first.']),
  'kms/version-mismatch': conflict(
    ['it was changed in the meantime', 'Read it again, then change the newest version.'],
    412,
  ),
  'kms/destroyed': conflict([
    'that version was destroyed',
    'Destroyed values are gone for ever; choose another version.',
  ]),
  'kms/newest-version': conflict([
    'the newest version cannot be destroyed',
    'Store another value or delete the secret first.',
  ]),
  'kms/cannot-restore': conflict([
    'the restore would leave two things with one name, or has nothing to go back to',
    'Look at the dry run, and rename what stands in the way.',
  ]),
  'kms/too-many': invalid([
    'that is too much at once',
    'Do it in parts: 500 changes in one batch, 10000 in one restore.',
  ]),
  'kms/idempotency-conflict': conflict([
    'the idempotency key was used for another request',
    'Use a new key for each request.',
  ]),
  'kms/unauthenticated': denied(
    [
      'the request does not say who asks, or what it says does not hold',
      'Sign in again and send the token as "Authorization: Bearer qkt_…".',
    ],
    401,
  ),
  'kms/not-permitted': denied([
    'you are not permitted to do this',
    'Ask an administrator, or make an access request; quorate kms why shows each rule.',
  ]),
  'kms/escalation': denied([
    'nobody can give, change or take away what he does not hold himself',
    'Have it done by somebody who holds all of it, or narrow it to what you hold.',
  ]),
  'kms/rate-limited': unavailable(
    [
      'too many requests in too short a time',
      'Wait as long as Retry-After says; others are not affected.',
    ],
    429,
  ),
  'kms/bad-rule': invalid([
    'a rule of a role or grant does not mean anything',
    'See the reference of roles and conditions for actions, patterns and networks.',
  ]),
  'kms/bad-auth-method': invalid([
    'the settings of the sign-in method are not usable',
    'Put right what the message names; the reference lists the settings of each method.',
  ]),
  'kms/bad-grant': invalid([
    'the grant does not fit whom it is for, or when',
    'A grant names a role or rules, of its own project, and ends after it begins.',
  ]),
  'kms/built-in-role': conflict([
    'built-in roles cannot be changed',
    'Make a role of your own with the rules that you want.',
  ]),
  'kms/in-use': conflict([
    'something still refers to it',
    'Take it out of every grant and policy first.',
  ]),
  'kms/changed-meanwhile': conflict(
    [
      'somebody else has changed it in the meantime',
      'Read it again and send its ETag as If-Match.',
    ],
    412,
  ),
  'kms/last-administrator': conflict([
    'the last administrator of the instance cannot be removed',
    'Give somebody else the role admin for the whole instance first.',
  ]),
  'kms/not-renewable': conflict(['the token has reached its longest life', 'Sign in again.']),
  'kms/not-approver': denied([
    'you are not among those whose word counts for this request',
    'The approval policy lists its approvers; nobody approves a request of his own.',
  ]),
  'kms/bad-approval': denied([
    'the approval is not signed for this request by an enrolled key of yours',
    'Sign the message that the request shows, with a key enrolled in your identity.',
  ]),
  'kms/request-closed': conflict([
    'the access request is decided, revoked or expired',
    'Make a new one.',
  ]),
  'kms/identity-provider': unavailable([
    'the identity provider does not answer as it should',
    'Check that the KMS reaches it, its certificate authority, and its keys.',
  ]),
  'kms/idempotency-key-missing': invalid([
    'the request needs an Idempotency-Key header',
    'Send 8 to 128 printable characters that you choose anew for each change, and repeat them on a retry.',
  ]),
  'kms/limit-reached': conflict([
    'there are as many of these as there may be',
    'Remove some that are no longer needed.',
  ]),
} as const satisfies Record<string, ErrorEntry>
