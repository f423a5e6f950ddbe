import {
  broken,
  conflict,
  denied,
  device,
  type ErrorEntry,
  invalid,
  notFound,
  unavailable,
} from './entry.ts'

export const hsmErrors = {
  'hsm/unknown-type': invalid([
    'there is no HSM provider of that type',
    'Use one of the types that the message lists.',
  ]),
  'hsm/bad-argument': invalid([
    'the device cannot do this with that key or input',
    'Check the algorithm of the key and the length of the input.',
  ]),
  'hsm/cannot-open': invalid(
    [
      'the device could not open this with the given secret',
      'Check that data, key, context and PIN belong together; nothing more can be said safely.',
    ],
    422,
  ),
  'hsm/key-not-found': notFound([
    'the device holds no such key',
    'List the keys of the device; check its directory, token or slot.',
  ]),
  'hsm/key-ambiguous': conflict([
    'more than one key matches',
    'Name the key by its id; destroy the one that is not wanted.',
  ]),
  'hsm/key-exists': conflict([
    'the device already holds a key with that id',
    'Use the existing key, or generate one under another id.',
  ]),
  'hsm/label-mismatch': conflict([
    'the label given to confirm is not the label of the key',
    'Give the exact label of the key that is to be destroyed for ever.',
  ]),
  'hsm/simulated-in-production': denied([
    'a simulated HSM protects nothing and is refused in production',
    'Configure a real HSM; only allowSimulatedInProduction: true overrides this, in so many words.',
  ]),
  'hsm/loose-permissions': denied([
    'the device key can be read or written by other users',
    'Make the file 0600; if others could read it, make new keys.',
  ]),
  'hsm/attestation-invalid': denied([
    'the attestation does not verify',
    'Ask the device for a new attestation with a fresh nonce, and check the pinned root.',
  ]),
  'hsm/key-changed': denied([
    'the device answers with another key than the one pinned',
    'Do not use this device until it is known who replaced the key.',
  ]),
  'hsm/compromised': device([
    'the attestation of the device failed: it reports that it was compromised',
    'Stop using its keys, rotate them on another device, and find out what happened.',
  ]),
  'hsm/object-damaged': device([
    'a file of the device is damaged, was swapped, or belongs to another device',
    'Restore the device directory from a backup; find out who changed it.',
  ]),
  'hsm/unavailable': device([
    'the device does not answer',
    'Check that the device is there, has free space, and may be read and written by this user.',
  ]),
  'hsm/pin-incorrect': device([
    'the device refused the PIN',
    'Give the right PIN; no other attempt was made, for devices lock or erase themselves after a few.',
  ]),
  'hsm/pin-final-try': device([
    'one more wrong PIN would lock the device, so none is tried',
    "Log in once with the vendor's own tool and the right PIN, then open the device again.",
  ]),
  'hsm/pin-locked': device([
    'the PIN of the device is locked',
    "Have a security officer reset the user PIN with the vendor's tool.",
  ]),
  'hsm/pin-expired': device([
    'the PIN of the device has expired or was never set',
    "Set a new user PIN with the vendor's tool.",
  ]),
  'hsm/bad-pin': invalid([
    'the PIN is missing or has not the form that this device takes',
    'Read in the message which form it takes; give the PIN by file or descriptor.',
  ]),
  'hsm/token-absent': device([
    'no token matches',
    'Compare label, serial and slot with those of the device; see that it is plugged in and initialised.',
  ]),
  'hsm/slot-ambiguous': conflict([
    'more than one token matches',
    'Name the token by its serial number.',
  ]),
  'hsm/unsupported': device([
    'the device cannot do this',
    'Use an algorithm that the device lists, or another device.',
  ]),
  'hsm/forbidden': device([
    'the policy of the device or of the key forbids this',
    'Check the role of the PIN, the policy of the device and the attributes of the key.',
  ]),
  'hsm/busy': device([
    'the device has no room for one more session or operation',
    'Lower the number of sessions or the rate; close other applications that use the device.',
  ]),
  'hsm/weak-key': device([
    'the device made the key with weaker attributes than asked for; the key was destroyed',
    "Check the policy of the device and its profile; report the device's model and firmware.",
  ]),
  'hsm/library-missing': device([
    "the device's library cannot be loaded",
    "Install the vendor's client, and check the path and the libraries that it needs (ldd).",
  ]),
  'hsm/client-missing': device([
    'the official client of the cloud service is not installed',
    'Install the package that the message names, then open the device again.',
  ]),
  'hsm/bad-uri': invalid([
    'that is no PKCS#11 URI',
    'Write it as in RFC 7512, e.g. pkcs11:token=main;object=node?module-path=/usr/lib/module.so.',
  ]),
  'hsm/pin-in-uri': invalid([
    'a PIN must not stand in a URI, where logs and process lists show it',
    'Put the PIN into a file of mode 0600 and name that with pin-source instead of pin-value.',
  ]),
  'hsm/unknown-profile': invalid([
    'there is no vendor profile of that name',
    'Use one of the profiles that the message lists, or generic.',
  ]),
  'hsm/weak-custody': denied([
    'the device keeps its keys less safely than demanded',
    'Use a device of the demanded level, or lower requireCustody.',
  ]),
  'hsm/software-in-production': denied([
    'production keeps its keys in hardware, and this is none',
    'Configure a real HSM; only allowSoftwareInProduction: true overrides this, in so many words.',
  ]),
  'hsm/not-yet-supported': invalid([
    'this version cannot do what the configuration asks for',
    'Take it out of the configuration, or switch it off there; nothing of it would be in force.',
  ]),
  'hsm/bad-config': invalid([
    'the configuration does not describe a device',
    'quorate hsm sample-config shows a whole one for each vendor.',
  ]),
  'hsm/pin-in-config': invalid([
    'a PIN must not stand in a configuration file, which others may read',
    'Put it into a file of mode 0600 and name that with pinFile.',
  ]),
  'hsm/wrong-result': device([
    'the device gave a result that is wrong, and it was kept back',
    'Run the self-test of the device; rotate its keys if it happens again, for faults can give keys away.',
  ]),
  'hsm/audit-unavailable': unavailable([
    'the operation could not be written to the audit log, so its result was kept back',
    'Bring the audit log back; what the operation changed in the device has stayed changed.',
  ]),
  'hsm/token-exists': conflict([
    'there is a token in this directory already',
    'Use it, or name another directory: a token is never initialised twice.',
  ]),
  'hsm/no-backup-key': notFound([
    'the device holds no backup key, under which its keys could leave',
    'quorate hsm backup init makes one and shows its shares; with --share-file it puts in the one that the shares stand for.',
  ]),
  'hsm/other-backup-key': conflict([
    'the device holds another backup key',
    'Give the shares of that key, or take a token without one. Backups under a key that is destroyed can be opened by its shares only.',
  ]),
  'hsm/backup-damaged': invalid(
    [
      'the backup is damaged, was changed, or is none',
      'Take another copy of it or an older backup; find out who can write where backups are kept.',
    ],
    422,
    6,
  ),
  'hsm/backup-foreign': invalid(
    [
      'the backup was made under another backup key than that of this device',
      'Give the device the right backup key (quorate hsm backup init --share-file), or take a backup of its own.',
    ],
    422,
    6,
  ),
  'hsm/backup-environment': denied([
    'the backup was made in another environment',
    'Restore it in its own environment: keys of development never get into production.',
  ]),
  'hsm/backup-not-newest': conflict([
    'the newest backup is not where backups are kept, or is another than the one that was put there',
    'Find out who removed or replaced it. To use an older one all the same, name it.',
  ]),
  'hsm/no-backup': notFound([
    'there is no backup of this device',
    'Check the location; quorate hsm backup now makes one.',
  ]),
  'hsm/backup-too-large': invalid([
    'the device holds more keys than one backup takes',
    'Destroy keys that are no longer needed, or spread them over several tokens.',
  ]),
  'hsm/not-backed-up': conflict([
    'the key is in no backup, so the loss of the device would lose it',
    'Make it wrappable (rotation.backupEnabled and a policy that allows it), or switch backups off for it.',
  ]),
  'hsm/drill-failed': invalid(
    [
      'a key of the backup did not come back as it was',
      'Make a new backup at once and try that; keep this one for analysis.',
    ],
    422,
    6,
  ),
  'hsm/rotation-under-way': conflict([
    'the role is being rotated already',
    'quorate hsm rotate status shows how far it has come and what it waits for.',
  ]),
  'hsm/rotation-held-up': unavailable([
    'a rotation does not get on',
    'quorate hsm rotate status names the reason; once that is gone it goes on by itself.',
  ]),
  'hsm/no-rotation': notFound([
    'no such rotation is under way',
    'quorate hsm rotate status lists what is.',
  ]),
  'hsm/state-damaged': unavailable([
    'the state of the HSM layer is damaged, so its limits and rotations are not known',
    'Keep the file for analysis and restore it from a backup of the machine; removing it forgets limits and pending rotations.',
  ]),
  'hsm/role-unbound': notFound([
    'the role has no key',
    'Make one for it or bind one that is there; both check what its policy asks of keys.',
  ]),
  'hsm/role-bound': conflict([
    'the role has another key already',
    'Rotate the key instead of binding a second one; see which key the role has now.',
  ]),
  'hsm/signing-locked': denied([
    'signing is locked for this role',
    'Find out why it was locked; then unlock it with its name typed in full.',
  ]),
  'hsm/confirmation-mismatch': invalid([
    'what was typed to confirm is not what was asked for',
    'Type the confirmation exactly as the message shows it.',
  ]),
  'hsm/notification-lost': unavailable([
    'a notice could not be delivered and was given up',
    'Check the URL of the webhook, its secret, and whether the receiver answers; hsm alerts list shows what is open.',
  ]),
  'hsm/audit-tampered': invalid(
    [
      'the audit log of the HSM was changed: its chain does not hold',
      'Keep the files, find out who wrote to them, and start a new log in another directory.',
    ],
    422,
    6,
  ),
  'hsm/alert-not-found': notFound([
    'there is no such alert',
    'List the alerts; resolved ones are kept for a while only.',
  ]),
  'hsm/attestation-stale': denied([
    'the attestation is not fresh',
    'Ask the device for a new one with a nonce of yours, and check the clocks of both machines.',
  ]),
  'hsm/no-failover': notFound([
    'there is no failover of that name in the state',
    'See which there are with quorate hsm failover status; one appears when it is first opened.',
  ]),
  'hsm/device-full': device([
    'the device has no free slot for another key',
    'Destroy keys that nobody needs; quorate hsm list also shows those that have no label of ours.',
  ]),
  'hsm/wallet-exists': conflict([
    'the device already has a wallet of that name',
    'Use it, or give the new one another name.',
  ]),
  'hsm/wallet-not-found': notFound([
    'the device has no such wallet or node',
    'List the wallets of the device; derive the node from its wallet first.',
  ]),
  'hsm/wallet-session-open': conflict([
    'a session of SLIP-39 is open, and the device makes no keys until it ends',
    'Finish the session or cancel it.',
  ]),
  'hsm/wallet-session-lost': conflict([
    'the session of SLIP-39 is over: it was cancelled, or the process that held it has ended',
    'Open a new one and begin with the first share; shares of a session that did not end are worthless.',
  ]),
  'hsm/watch-lost': unavailable([
    'nobody hears of breaches of the device any more: its watch does not answer',
    'See in the log why the second process of the device ends; look at the device itself.',
  ]),
  'hsm/shares-refused': invalid(
    [
      'the device did not get a seed out of these shares',
      'Check that all are of one set, their passwords, and the passphrase; the device does not say more.',
    ],
    422,
  ),
  'hsm/closed': device(['the device was closed', 'Open the device again.']),
  'hsm/nonconforming': broken([
    'the provider does not behave as the HSM interface demands',
    'Do not use this provider; report the name of the failed check.',
  ]),
} as const satisfies Record<string, ErrorEntry>
