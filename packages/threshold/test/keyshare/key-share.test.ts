import assert from 'node:assert/strict'
import { test } from 'node:test'
import { inspect } from 'node:util'
import { decodeCbor, encodeCbor, idFrom, Secret, toHex } from '@quorate/base'
import {
  decodeKeyShare,
  encodeKeyShare,
  type KeyShare,
  type WalletKey,
} from '#src/keyshare/key-share.js'
import { describeKey, parseWalletKey, validateShare } from '#src/keyshare/validate.js'
import { type PartyId, partyId } from '#src/session/party.js'
import { keygen, SUITES } from '../frost/dkg-setup.js'

const entropy = (value: number): Uint8Array => new Uint8Array(10).fill(value)

function shareOf(suite: (typeof SUITES)[number], party: number): KeyShare {
  const keys = keygen(suite, 2, 3)
  const own = keys.get(party as PartyId)!
  const key: WalletKey = {
    wallet: idFrom('wal', 1, entropy(1)),
    protocol: 'frost',
    generation: 0,
    parties: [1, 2, 3].map((index) => ({
      index: partyId(index),
      nodeId: idFrom('nod', 1, entropy(index)),
    })),
    createdBy: { kind: 'keygen', certificate: own.recoveryData },
    ...describeKey(own),
  }
  return { v: 1, key, party: partyId(party), secret: own.share, custody: 'software' }
}

for (const suite of SUITES) {
  const share = shareOf(suite, 2)
  const { group } = parseWalletKey(share.key).key.suite

  test(`${suite}: a share comes back from its bytes and is valid`, () => {
    const encoded = encodeKeyShare(share)
    const { secret, ...rest } = decodeKeyShare(encoded.expose())
    assert.deepEqual(rest, { v: 1, key: share.key, party: 2, custody: 'software' })
    const bytes = encoded.expose().slice()
    encoded[Symbol.dispose]()
    assert.deepEqual(
      secret.expose(),
      share.secret.expose(),
      'the record does not live in the bytes it was read from',
    )
    const { key } = validateShare(decodeKeyShare(bytes))
    assert.equal(toHex(group.encode(key.groupKey)), toHex(share.key.groupKey))
    assert.equal(key.verifyingShares.size, 3)
  })

  test(`${suite}: nothing that does not fit is taken for valid`, () => {
    const G = group.encode(group.generator)
    const { key } = share
    const other = shareOf(suite, 1)
    const changes: readonly Partial<KeyShare>[] = [
      { secret: other.secret },
      { secret: new Secret(new Uint8Array(32)) },
      { secret: new Secret(new Uint8Array(32).fill(0xff)) },
      { party: partyId(1) },
      { party: partyId(4) },
      { key: { ...key, groupKey: G } },
      { key: { ...key, commitment: [key.commitment[0]!, G] } },
      { key: { ...key, commitment: [...key.commitment, G] } },
      {
        key: {
          ...key,
          commitment: [key.commitment[0]!, new Uint8Array(group.elementLength).fill(0xff)],
        },
      },
      { key: { ...key, threshold: 3 } },
      { key: { ...key, verifyingShares: key.verifyingShares.toReversed() } },
      { key: { ...key, verifyingShares: key.verifyingShares.slice(1) } },
      { key: { ...key, parties: key.parties.toReversed() } },
      { key: { ...key, protocol: 'cggmp24' } },
    ]
    for (const change of changes)
      assert.throws(() => validateShare({ ...share, ...change }), {
        code: 'threshold/inconsistent-share',
      })
    assert.throws(() => validateShare({ ...share, key: { ...key, suite: 'FROST-P256-v9' } }), {
      code: 'threshold/unknown-suite',
    })
  })
}

test('a record of a newer version is refused as such, one of no version as malformed', () => {
  const share = shareOf(SUITES[0]!, 1)
  const map = decodeCbor(encodeKeyShare(share).expose(), { maxBytes: 1 << 16 }) as ReadonlyMap<
    number,
    never
  >
  const withVersion = (v: number): Uint8Array =>
    encodeCbor(new Map([...map].map(([key, value]) => [key, key === 1 ? v : value])))
  assert.equal(decodeKeyShare(withVersion(1)).party, 1)
  assert.throws(() => decodeKeyShare(withVersion(2)), { code: 'base/unknown-version' })
  assert.throws(() => decodeKeyShare(withVersion(0)), { code: 'base/malformed' })
  assert.throws(() => decodeKeyShare(encodeCbor(new Map([[2, 1]]))), { code: 'base/malformed' })
  assert.throws(() => decodeKeyShare(encodeCbor([1])), { code: 'base/malformed' })
  assert.throws(() => decodeKeyShare(new Uint8Array(1 << 17)), { code: 'base/too-large' })
})

test('the secret does not print', () => {
  const share = shareOf(SUITES[1]!, 3)
  assert.equal(JSON.parse(JSON.stringify(share)).secret, '[secret]')
  assert.match(inspect(share), /secret: \[secret\]/)
})
