/* BIP-32 (SLIP-10 for P-256) below a seed, and BIP-39 mnemonics of 24 words. */
#include "device.h"

#include <errno.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/sha.h>
#include <stdio.h>
#include <string.h>

static void hmac512(const void *key, size_t key_length, const uint8_t *data, size_t length,
                    uint8_t out[64]) {
  HMAC(EVP_sha512(), key, (int)key_length, data, length, out, NULL);
}

bool has_wallet(const struct device *device, const char *name) {
  for (int slot = FIRST_USER_SLOT; slot < SLOTS; slot++)
    if (device->keys[slot].used && strcmp(device->keys[slot].wallet, name) == 0) return true;
  return false;
}

static struct key *take(struct device *device, int slot, int type, const char *wallet) {
  struct key *key = &device->keys[slot];
  memset(key, 0, sizeof *key);
  key->used = 1;
  key->type = (uint8_t)type;
  key->in_wallet = 1;
  strncpy(key->wallet, wallet, NAME_BYTES - 1);
  return key;
}

static bool is_scalar(int type, const uint8_t bytes[32]) {
  BIGNUM *value = BN_bin2bn(bytes, 32, NULL);
  bool is = !BN_is_zero(value) && BN_cmp(value, EC_GROUP_get0_order(group_of(type))) < 0;
  BN_clear_free(value);
  return is;
}

int add_seed(struct device *device, int type, const char *wallet, const uint8_t *seed,
             size_t length) {
  int slot = free_slot(device);
  if (slot < 0) return slot;
  const char *salt = type == SECP256K1 ? "Bitcoin seed" : "Nist256p1 seed";
  uint8_t out[64];
  hmac512(salt, strlen(salt), seed, length, out);
  while (!is_scalar(type, out)) hmac512(salt, strlen(salt), out, sizeof out, out);
  struct key *key = take(device, slot, type, wallet);
  key->master = slot;
  key->hidden = 1;
  strcpy(key->address, "m");
  memcpy(key->secret, out, 32);
  memcpy(key->chain, out + 32, 32);
  return slot;
}

int add_child(struct device *device, int parent_slot, uint32_t index, bool hardened) {
  const struct key *parent = &device->keys[parent_slot];
  if (!parent->used || !parent->in_wallet || index >= 0x80000000u) return -EINVAL;
  char address[ADDRESS_BYTES + 16];
  snprintf(address, sizeof address, "%s/%u%s", parent->address, index, hardened ? "'" : "");
  if (strlen(address) >= ADDRESS_BYTES) return -EINVAL;
  for (int slot = FIRST_USER_SLOT; slot < SLOTS; slot++)
    if (device->keys[slot].used && device->keys[slot].master == parent->master &&
        strcmp(device->keys[slot].address, address) == 0)
      return -EEXIST;
  int slot = free_slot(device);
  if (slot < 0) return slot;
  uint8_t data[37], out[64];
  uint32_t number = hardened ? index | 0x80000000u : index;
  if (hardened) {
    data[0] = 0;
    memcpy(data + 1, parent->secret, 32);
  } else {
    compressed_of(parent->type, parent->secret, data);
  }
  for (int i = 0; i < 4; i++) data[33 + i] = (uint8_t)(number >> (24 - 8 * i));
  hmac512(parent->chain, 32, data, sizeof data, out);
  struct key *key = take(device, slot, parent->type, parent->wallet);
  const BIGNUM *n = EC_GROUP_get0_order(group_of(parent->type));
  BN_CTX *ctx = BN_CTX_new();
  BIGNUM *left = BN_bin2bn(out, 32, NULL), *own = BN_bin2bn(parent->secret, 32, NULL);
  BN_mod_add(own, own, left, n, ctx);
  BN_bn2binpad(own, key->secret, 32);
  BN_clear_free(left);
  BN_clear_free(own);
  BN_CTX_free(ctx);
  memcpy(key->chain, out + 32, 32);
  key->master = parent->master;
  strcpy(key->address, address);
  return slot;
}

/* 256 bits and a checksum of 8, eleven bits to a word. */
void mnemonic_of(const uint8_t entropy[32], char out[256]) {
  uint8_t bits[33], digest[32];
  SHA256(entropy, 32, digest);
  memcpy(bits, entropy, 32);
  bits[32] = digest[0];
  out[0] = '\0';
  for (int word = 0; word < 24; word++) {
    int index = 0;
    for (int i = word * 11; i < word * 11 + 11; i++)
      index = index << 1 | (bits[i / 8] >> (7 - i % 8) & 1);
    if (word > 0) strcat(out, " ");
    strcat(out, BIP39_WORDS[index]);
  }
}

bool entropy_of(const char *mnemonic, uint8_t entropy[32]) {
  uint8_t bits[33] = {0}, digest[32];
  char copy[512], *rest = NULL;
  snprintf(copy, sizeof copy, "%s", mnemonic);
  int word = 0;
  for (char *text = strtok_r(copy, " ", &rest); text != NULL; text = strtok_r(NULL, " ", &rest)) {
    int index = 0;
    while (index < 2048 && strcmp(BIP39_WORDS[index], text) != 0) index++;
    if (index == 2048 || word == 24) return false;
    for (int i = 0; i < 11; i++)
      bits[(word * 11 + i) / 8] |= (uint8_t)((index >> (10 - i) & 1) << (7 - (word * 11 + i) % 8));
    word++;
  }
  memcpy(entropy, bits, 32);
  SHA256(entropy, 32, digest);
  return word == 24 && digest[0] == bits[32];
}

bool decode_passphrase(const char *base64, char out[128]) {
  size_t length = strlen(base64);
  memset(out, 0, 128);
  if (length == 0) return true;
  uint8_t bytes[132];
  if (length % 4 != 0 || length > 168) return false;
  int count = EVP_DecodeBlock(bytes, (const uint8_t *)base64, (int)length);
  if (count < 0) return false;
  for (size_t at = length; base64[at - 1] == '='; at--) count--;
  memcpy(out, bytes, (size_t)count < 127 ? (size_t)count : 127);
  return true;
}
