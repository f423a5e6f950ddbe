import { abort, broken, conflict, denied, type ErrorEntry, invalid } from './entry.ts'

export const thresholdErrors = {
  'threshold/malformed-message': abort([
    'a party sent a message that is not in the form of its round',
    'Look at the culprit named in the evidence; start a new session without it where the quorum allows.',
  ]),
  'threshold/invalid-proof': abort([
    'a party sent a proof that does not verify',
    'Look at the culprit named in the evidence; start a new session without it where the quorum allows.',
  ]),
  'threshold/wrong-opening': abort([
    'a party opened its commitment to something else than it had committed to',
    'Look at the culprit named in the evidence; start a new session without it where the quorum allows.',
  ]),
  'threshold/bad-modulus': abort([
    'a party sent auxiliary parameters that are not safe to use',
    'Look at the culprit named in the evidence; start a new session without it where the quorum allows.',
  ]),
  'threshold/false-alert': abort([
    'a party raised an alert where nothing was wrong',
    'Look at the culprit named in the evidence; start a new session without it where the quorum allows.',
  ]),
  'threshold/degenerate': abort([
    'the contributions of all parties cancel out, which does not happen by chance',
    'Nobody can be blamed for it. Start a new session; if it happens again, change the set of signers.',
  ]),
  'threshold/invalid-share': abort([
    'a party sent a share that does not fit its commitment',
    'Look at the culprit named in the evidence; start a new session without it where the quorum allows.',
  ]),
  'threshold/invalid-certificate': abort([
    'a party did not sign the result that all others agree on',
    'Look at the culprit named in the evidence. Keep the host keys: the session may still have succeeded elsewhere.',
  ]),
  'threshold/false-accusation': abort([
    'a party accused another without a proof that verifies',
    'Look at the culprit named in the evidence; start a new session without it where the quorum allows.',
  ]),
  'threshold/equivocation': abort([
    'a party sent different messages for the same round',
    'Keep the evidence: it proves the fault to anyone. Start a new session without the culprit.',
  ]),
  'threshold/echo-mismatch': abort([
    'the parties did not receive the same broadcasts, and nothing proves whose fault it is',
    'Start a new session; if it happens again, check the network between the nodes.',
  ]),
  'threshold/faulty-coordinator': abort([
    'the coordinator sent a message that contradicts what the parties sent',
    'Start a new session with another coordinator.',
  ]),
  'threshold/timeout': abort(
    [
      'not all messages arrived before the deadline',
      'Check that the parties named as missing are up and reachable, then start a new session.',
    ],
    504,
    5,
  ),
  'threshold/cancelled': abort([
    'the session was ended before it was complete',
    'Start a new session.',
  ]),
  'threshold/ssid-mismatch': abort([
    'the parties do not agree on what the session is about',
    'Nobody is to blame: compare versions and cluster records of the nodes, then start a new session.',
  ]),
  'threshold/bad-parameters': invalid([
    'the parameters of the session are not allowed',
    'Choose 1 ≤ threshold ≤ parties ≤ 50 and name each party once.',
  ]),
  'threshold/bad-manifest': invalid([
    'the manifest contradicts itself',
    'Make a new manifest; list each signer once, in order, and the coordinator among them.',
  ]),
  'threshold/bad-host-key': invalid([
    'a host key is not valid',
    'Use the 32-byte host secret key whose public key stands in the list of the session.',
  ]),
  'threshold/duplicate-host-key': invalid([
    'two parties have the same host public key',
    'Give every party a host key of its own.',
  ]),
  'threshold/bad-randomness': invalid([
    'the source of randomness returned zeros or too few bytes',
    'Stop using this machine for keys until its random number generator has been repaired.',
  ]),
  'threshold/bad-recovery-data': invalid([
    'the recovery data is not that of a successful key generation',
    'Use the recovery data of any party that completed the session.',
  ]),
  'threshold/inconsistent-share': invalid([
    'the key share does not fit its own public data',
    'Restore the share from a backup of the same generation, or repair it with the other parties.',
  ]),
  'threshold/wrong-cluster': denied([
    'the envelope belongs to another cluster',
    'Check that both nodes use the same cluster record.',
  ]),
  'threshold/wrong-epoch': denied([
    'the envelope was made with or for an epoch key that is not in force',
    'Exchange the current epoch records and send again.',
  ]),
  'threshold/wrong-session': denied([
    'the envelope belongs to another session',
    'Nothing to do: messages of other sessions are dropped.',
  ]),
  'threshold/not-addressed': denied([
    'the envelope is addressed to another party',
    'Nothing to do: messages for others are dropped.',
  ]),
  'threshold/self-addressed': denied([
    'the envelope claims to come from this very party',
    'Somebody injects messages: own messages never travel over the network.',
  ]),
  'threshold/expired': denied([
    'the envelope or manifest has expired',
    'Check the clocks of both nodes, then send again.',
  ]),
  'threshold/bad-signature': denied([
    'the signature does not verify',
    'Check that the sender is enrolled and that its epoch record is current.',
  ]),
  'threshold/cannot-open': denied([
    'the sealed body cannot be opened',
    'Exchange the current epoch records and send again.',
  ]),
  'threshold/evidence-rejected': invalid(
    ['the evidence does not prove what it claims', 'Do not act on it.'],
    400,
    6,
  ),
  'threshold/unknown-suite': invalid([
    'no suite has this id',
    'Use one of the suites that `frostSuites` lists.',
  ]),
  'threshold/unsupported-tweak': invalid([
    'the suite cannot tweak its key in this way',
    'Taproot tweaks are for suites whose signatures are BIP-340; leave the tweaks out for others.',
  ]),
  'threshold/bad-tweak': invalid([
    'the tweak is not valid for this key',
    'Give the 32-byte root of the script tree, or no root at all.',
  ]),
  'threshold/refused': abort([
    'a node does not take part in the session',
    'The code names its reason; look in the log of that node.',
  ]),
  'threshold/nonce-used': broken([
    'a signing nonce was asked for a second time',
    'Please report this with the version and the log. Nothing was signed.',
  ]),
  'threshold/presignature-used': broken([
    'a presignature was asked for a second time',
    'Please report this with the version and the log. Nothing was signed.',
  ]),
  'threshold/nonce-mismatch': invalid([
    'the session does not hold the commitment of the nonces that are to sign in it',
    'Start a new session with new nonces.',
  ]),
  'threshold/nonce-unavailable': conflict([
    'a preprocessed nonce or presignature is not free',
    'Choose other slots, or sign without preprocessing.',
  ]),
  'threshold/pool-full': conflict([
    'the pool of nonces or presignatures holds as much as it may',
    'Use or drop some before making more.',
  ]),
} as const satisfies Record<string, ErrorEntry>
