/**
 * Instructions as the official client makes them: name, data, accounts with the number of their role.
 * Made with clients/js of https://github.com/solana-program/token-2022 (Apache-2.0) at commit
 * 426400f29d5f1e299be8b353fdf13f22358fbd68; all but the transfer with a fee are the same for both token programs.
 */
export type Vector = readonly [name: string, data: string, accounts: readonly string[]]

const RENT = 'SysvarRent111111111111111111111111111111111 0'
const SYSTEM = '11111111111111111111111111111111 0'

export const TOKEN_VECTORS: readonly Vector[] = [
  ['Transfer', '03404b4c0000000000', ['source 1', 'target 1', 'own 2']],
  ['Approve', '040700000000000000', ['source 1', 'other 0', 'own 2']],
  ['Revoke', '05', ['source 1', 'own 2']],
  [
    'SetAuthority',
    '0602015454545454545454545454545454545454545454545454545454545454545454',
    ['source 1', 'own 2'],
  ],
  ['SetAuthority', '060000', ['mint 1', 'own 2']],
  ['MintTo', '070900000000000000', ['mint 1', 'target 1', 'own 2']],
  ['Burn', '080900000000000000', ['source 1', 'mint 1', 'own 2']],
  ['CloseAccount', '09', ['source 1', 'own 1', 'own 2']],
  ['CloseAccount', '09', ['source 1', 'other 1', 'own 2']],
  ['FreezeAccount', '0a', ['source 1', 'mint 0', 'own 2']],
  ['ThawAccount', '0b', ['source 1', 'mint 0', 'own 2']],
  ['TransferChecked', '0c404b4c000000000006', ['source 1', 'mint 0', 'target 1', 'own 2']],
  [
    'TransferChecked',
    '0c404b4c000000000006',
    ['source 1', 'mint 0', 'target 1', 'other 0', 'own 2', 'second 2'],
  ],
  ['ApproveChecked', '0dffffffffffffffff06', ['source 1', 'mint 0', 'other 0', 'own 2']],
  ['ApproveChecked', '0d60e316000000000006', ['source 1', 'mint 0', 'other 0', 'own 2']],
  ['MintToChecked', '0e090000000000000006', ['mint 1', 'target 1', 'own 2']],
  ['BurnChecked', '0f090000000000000006', ['source 1', 'mint 1', 'own 2']],
  ['SyncNative', '11', ['source 1', RENT]],
  ['InitializeAccount', '01', ['source 1', 'mint 0', 'other 0', RENT]],
  [
    'InitializeAccount2',
    '105454545454545454545454545454545454545454545454545454545454545454',
    ['source 1', 'mint 0', RENT],
  ],
  [
    'InitializeAccount3',
    '125454545454545454545454545454545454545454545454545454545454545454',
    ['source 1', 'mint 0'],
  ],
  [
    'InitializeMint',
    '0006ea4a6c63e29c520abef5507b132ec5f9954776aebebe7b92421eea691446d22c015454545454545454545454545454545454545454545454545454545454545454',
    ['mint 1', RENT],
  ],
  [
    'InitializeMint2',
    '1406ea4a6c63e29c520abef5507b132ec5f9954776aebebe7b92421eea691446d22c00',
    ['mint 1'],
  ],
  ['InitializeMultisig', '0202', ['source 1', RENT, 'own 0', 'other 0']],
  ['InitializeMultisig2', '1302', ['source 1', 'own 0', 'other 0']],
  ['InitializeImmutableOwner', '16', ['source 1']],
  [
    'TransferCheckedWithFee',
    '1a01404b4c0000000000061027000000000000',
    ['source 1', 'mint 0', 'target 1', 'own 2'],
  ],
]

/** For the wallet `other` and both token programs. */
export const ASSOCIATED_VECTORS: readonly Vector[] = [
  [
    'CreateAssociatedToken',
    '00',
    [
      'own 3',
      '9ErFhZpVCkjr6ZLxZcibXZAEdEYcPyE6UfQMsmMkYEBF 1',
      'other 0',
      'mint 0',
      SYSTEM,
      'TokenkegQfeZyiNwAJbNbGKPFXCWuBvf9Ss623VQ5DA 0',
    ],
  ],
  [
    'CreateAssociatedToken',
    '00',
    [
      'own 3',
      'EBnfn5Kj46FSgNAVwyP3xyDZF4evWHqi24W9VzbatdkY 1',
      'other 0',
      'mint 0',
      SYSTEM,
      'TokenzQdBNbLqP5VEhdkAS6EPFLC1PHnBqCXEpPxuEb 0',
    ],
  ],
  [
    'CreateAssociatedTokenIdempotent',
    '01',
    [
      'own 3',
      '9ErFhZpVCkjr6ZLxZcibXZAEdEYcPyE6UfQMsmMkYEBF 1',
      'other 0',
      'mint 0',
      SYSTEM,
      'TokenkegQfeZyiNwAJbNbGKPFXCWuBvf9Ss623VQ5DA 0',
    ],
  ],
  [
    'CreateAssociatedTokenIdempotent',
    '01',
    [
      'own 3',
      'EBnfn5Kj46FSgNAVwyP3xyDZF4evWHqi24W9VzbatdkY 1',
      'other 0',
      'mint 0',
      SYSTEM,
      'TokenzQdBNbLqP5VEhdkAS6EPFLC1PHnBqCXEpPxuEb 0',
    ],
  ],
]
