/* P-256 and secp256k1: keys, ECDSA and ECDH. */
#include "device.h"

#include <openssl/evp.h>
#include <openssl/obj_mac.h>
#include <openssl/rand.h>
#include <string.h>

const EC_GROUP *group_of(int type) {
  static const EC_GROUP *p256, *k1;
  if (p256 == NULL) p256 = EC_GROUP_new_by_curve_name(NID_X9_62_prime256v1);
  if (k1 == NULL) k1 = EC_GROUP_new_by_curve_name(NID_secp256k1);
  return type == NISTP256 ? p256 : type == SECP256K1 ? k1 : NULL;
}

bool make_secret(int type, uint8_t secret[KEY_BYTES]) {
  const EC_GROUP *group = group_of(type);
  if (group == NULL) return RAND_bytes(secret, KEY_BYTES) == 1;
  BIGNUM *d = BN_new();
  do BN_priv_rand_range(d, EC_GROUP_get0_order(group));
  while (BN_is_zero(d));
  bool done = BN_bn2binpad(d, secret, KEY_BYTES) == KEY_BYTES;
  BN_clear_free(d);
  return done;
}

static bool encode(int type, const uint8_t *secret, point_conversion_form_t form, uint8_t *out,
                   size_t length) {
  const EC_GROUP *group = group_of(type);
  EC_POINT *point = EC_POINT_new(group);
  BIGNUM *d = BN_bin2bn(secret, KEY_BYTES, NULL);
  bool done = EC_POINT_mul(group, point, d, NULL, NULL, NULL) == 1 &&
              EC_POINT_point2oct(group, point, form, out, length, NULL) == length;
  BN_clear_free(d);
  EC_POINT_free(point);
  return done;
}

/* x and y without a prefix, as the library exports them; of an Edwards key its 32 bytes. */
bool public_of(int type, const uint8_t secret[KEY_BYTES], uint8_t out[64], size_t *length) {
  if (group_of(type) == NULL) {
    int kind = type == ED25519 ? EVP_PKEY_ED25519 : EVP_PKEY_X25519;
    EVP_PKEY *key = EVP_PKEY_new_raw_private_key(kind, NULL, secret, KEY_BYTES);
    *length = 32;
    bool done = key != NULL && EVP_PKEY_get_raw_public_key(key, out, length) == 1;
    EVP_PKEY_free(key);
    return done;
  }
  uint8_t point[65];
  if (!encode(type, secret, POINT_CONVERSION_UNCOMPRESSED, point, sizeof point)) return false;
  memcpy(out, point + 1, 64);
  *length = 64;
  return true;
}

bool compressed_of(int type, const uint8_t secret[KEY_BYTES], uint8_t out[33]) {
  return encode(type, secret, POINT_CONVERSION_COMPRESSED, out, 33);
}

bool sign_digest(const struct key *key, const uint8_t digest[32], uint8_t signature[64]) {
  const EC_GROUP *group = group_of(key->type);
  if (group == NULL) return false;
  const BIGNUM *n = EC_GROUP_get0_order(group);
  BN_CTX *ctx = BN_CTX_new();
  EC_POINT *point = EC_POINT_new(group);
  BIGNUM *d = BN_bin2bn(key->secret, KEY_BYTES, NULL), *z = BN_bin2bn(digest, 32, NULL);
  BIGNUM *k = BN_new(), *r = BN_new(), *s = BN_new();
  do {
    do BN_priv_rand_range(k, n);
    while (BN_is_zero(k));
    EC_POINT_mul(group, point, k, NULL, NULL, ctx);
    EC_POINT_get_affine_coordinates(group, point, r, NULL, ctx);
    BN_nnmod(r, r, n, ctx);
    /* s = (z + r·d) / k */
    BN_mod_mul(s, r, d, n, ctx);
    BN_mod_add(s, s, z, n, ctx);
    BN_mod_inverse(k, k, n, ctx);
    BN_mod_mul(s, s, k, n, ctx);
  } while (BN_is_zero(r) || BN_is_zero(s));
  bool done = BN_bn2binpad(r, signature, 32) == 32 && BN_bn2binpad(s, signature + 32, 32) == 32;
  BN_clear_free(d);
  BN_clear_free(k);
  BN_free(z);
  BN_free(r);
  BN_free(s);
  EC_POINT_free(point);
  BN_CTX_free(ctx);
  return done;
}

int verify_digest(const struct key *key, const uint8_t digest[32], const uint8_t *signature,
                  int length) {
  const EC_GROUP *group = group_of(key->type);
  if (group == NULL || length != 64) return 0;
  const BIGNUM *n = EC_GROUP_get0_order(group);
  BN_CTX *ctx = BN_CTX_new();
  EC_POINT *public = EC_POINT_new(group), *point = EC_POINT_new(group);
  BIGNUM *d = BN_bin2bn(key->secret, KEY_BYTES, NULL), *z = BN_bin2bn(digest, 32, NULL);
  BIGNUM *r = BN_bin2bn(signature, 32, NULL), *s = BN_bin2bn(signature + 32, 32, NULL);
  BIGNUM *x = BN_new();
  int holds = 0;
  if (!BN_is_zero(r) && !BN_is_zero(s) && BN_cmp(r, n) < 0 && BN_cmp(s, n) < 0) {
    EC_POINT_mul(group, public, d, NULL, NULL, ctx);
    BN_mod_inverse(s, s, n, ctx);
    BN_mod_mul(z, z, s, n, ctx);
    BN_mod_mul(s, r, s, n, ctx);
    EC_POINT_mul(group, point, z, public, s, ctx);
    if (!EC_POINT_is_at_infinity(group, point)) {
      EC_POINT_get_affine_coordinates(group, point, x, NULL, ctx);
      BN_nnmod(x, x, n, ctx);
      holds = BN_cmp(x, r) == 0;
    }
  }
  BN_clear_free(d);
  BN_free(z);
  BN_free(r);
  BN_free(s);
  BN_free(x);
  EC_POINT_free(public);
  EC_POINT_free(point);
  BN_CTX_free(ctx);
  return holds;
}

bool agree(const struct key *key, const uint8_t *peer, int length, uint8_t shared[32]) {
  const EC_GROUP *group = group_of(key->type);
  if (group == NULL || length != 64) return false;
  uint8_t encoded[65] = {POINT_CONVERSION_UNCOMPRESSED};
  memcpy(encoded + 1, peer, 64);
  EC_POINT *point = EC_POINT_new(group);
  BIGNUM *d = BN_bin2bn(key->secret, KEY_BYTES, NULL), *x = BN_new();
  bool done = EC_POINT_oct2point(group, point, encoded, sizeof encoded, NULL) == 1 &&
              EC_POINT_mul(group, point, NULL, point, d, NULL) == 1 &&
              EC_POINT_get_affine_coordinates(group, point, x, NULL, NULL) == 1 &&
              BN_bn2binpad(x, shared, 32) == 32;
  BN_clear_free(d);
  BN_clear_free(x);
  EC_POINT_free(point);
  return done;
}
