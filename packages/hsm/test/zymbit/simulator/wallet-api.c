/* The exported functions for wallets and sessions of SLIP-39. */
#include "device.h"

#include <errno.h>
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <stdio.h>
#include <string.h>

#define CALL(ctx, function)                  \
  struct context *context = ctx;             \
  struct device *device = context->device;   \
  int began = enter(context, FN_##function); \
  if (began != 0) return began
#define DONE(result) return leave(context, result)

/* "No change", which is not an error: more shares are to come, or one was wrong. */
enum { NO_CHANGE = -1 };

static int may_make(const struct device *device, int type, const char *wallet) {
  if (device->session.kind != 0) return -EBUSY;
  if (group_of(type) == NULL || wallet[0] == '\0' || strlen(wallet) >= NAME_BYTES) return -EINVAL;
  if (has_wallet(device, wallet)) return -EEXIST;
  int slot = free_slot(device);
  return slot < 0 ? slot : 0;
}

static int add_bip39(struct device *device, int type, const char *wallet, const char *mnemonic,
                     const char *passphrase) {
  char plain[128], salt[160];
  uint8_t seed[64];
  if (!decode_passphrase(passphrase, plain)) return -EINVAL;
  snprintf(salt, sizeof salt, "mnemonic%s", plain);
  PKCS5_PBKDF2_HMAC(mnemonic, -1, (uint8_t *)salt, (int)strlen(salt), 2048, EVP_sha512(), 64, seed);
  return add_seed(device, type, wallet, seed, sizeof seed);
}

API int zkGenWalletMasterSeedWithBIP39(void *ctx, int type, const char *variant, const char *wallet,
                                       const uint8_t *generator, int generator_size,
                                       const char *passphrase, char **mnemonic) {
  CALL(ctx, zkGenWalletMasterSeedWithBIP39);
  (void)generator;
  int may = may_make(device, type, wallet);
  if (may < 0) DONE(may);
  if (variant[0] != '\0' || generator_size != 0) DONE(-EINVAL);
  uint8_t entropy[64];
  RAND_bytes(entropy, sizeof entropy);
  if (mnemonic == NULL) DONE(add_seed(device, type, wallet, entropy, sizeof entropy));
  char words[256];
  mnemonic_of(entropy, words);
  int slot = add_bip39(device, type, wallet, words, passphrase);
  if (slot >= 0) *mnemonic = hand_out(words, strlen(words) + 1);
  DONE(slot);
}

API int zkRestoreWalletMasterSeedFromBIP39Mnemonic(void *ctx, int type, const char *variant,
                                                   const char *wallet, const uint8_t *generator,
                                                   int generator_size, const char *passphrase,
                                                   char *mnemonic) {
  CALL(ctx, zkRestoreWalletMasterSeedFromBIP39Mnemonic);
  (void)generator;
  int may = may_make(device, type, wallet);
  if (may < 0) DONE(may);
  uint8_t entropy[32];
  if (variant[0] != '\0' || generator_size != 0 || !entropy_of(mnemonic, entropy)) DONE(-EINVAL);
  DONE(add_bip39(device, type, wallet, mnemonic, passphrase));
}

static int open_session(struct device *device, uint8_t kind, int type, const char *wallet,
                        const char *passphrase) {
  struct session *session = &device->session;
  int may = may_make(device, type, wallet);
  if (may < 0) return may;
  memset(session, 0, sizeof *session);
  if (!decode_passphrase(passphrase, session->passphrase)) return -EINVAL;
  session->kind = kind;
  session->type = (uint8_t)type;
  session->group = -1;
  snprintf(session->wallet, NAME_BYTES, "%s", wallet);
  return 0;
}

API int zkGenWalletMasterSeedWithSLIP39(void *ctx, int type, const char *variant,
                                        const char *wallet, const uint8_t *generator,
                                        int generator_size, int groups, int threshold, int exponent,
                                        const char *passphrase) {
  CALL(ctx, zkGenWalletMasterSeedWithSLIP39);
  (void)generator;
  if (variant[0] != '\0' || generator_size != 0 || groups < 1 || groups > MAX_GROUPS ||
      threshold < 1 || threshold > groups || exponent < 0 || exponent > 5)
    DONE(-EINVAL);
  int opened = open_session(device, 1, type, wallet, passphrase);
  if (opened < 0) DONE(opened);
  struct session *session = &device->session;
  session->group_count = (uint8_t)groups;
  session->group_threshold = (uint8_t)threshold;
  session->exponent = (uint8_t)exponent;
  RAND_bytes((uint8_t *)&session->identifier, 2);
  session->identifier &= 0x7fff;
  RAND_bytes(session->secret, KEY_BYTES);
  uint8_t encrypted[KEY_BYTES];
  memcpy(encrypted, session->secret, KEY_BYTES);
  struct share terms = {.identifier = session->identifier, .exponent = session->exponent};
  encrypt_master(encrypted, KEY_BYTES, session->passphrase, &terms, false);
  split_secret(threshold, groups, encrypted, KEY_BYTES, session->group_secrets);
  DONE(0);
}

API int zkSetSLIP39GroupInfo(void *ctx, int group, int members, int threshold) {
  CALL(ctx, zkSetSLIP39GroupInfo);
  struct session *session = &device->session;
  if (session->kind != 1 || session->group >= 0 || group != session->done_groups || members < 1 ||
      members > MAX_MEMBERS || (threshold == 1 && members > 1) ||
      !split_secret(threshold, members, session->group_secrets[group], KEY_BYTES, session->values))
    DONE(-EINVAL);
  session->group = (int8_t)group;
  session->members = (uint8_t)members;
  session->threshold = (uint8_t)threshold;
  session->next = 0;
  DONE(0);
}

static int end_with_seed(struct device *device, const uint8_t *secret, int length) {
  struct session *session = &device->session;
  int slot = add_seed(device, session->type, session->wallet, secret, (size_t)length);
  memset(session, 0, sizeof *session);
  return slot;
}

API int zkAddSLIP39MemberPassword(void *ctx, const char *password, char **mnemonic) {
  CALL(ctx, zkAddSLIP39MemberPassword);
  struct session *session = &device->session;
  if (session->kind != 1 || session->group < 0) DONE(-EINVAL);
  struct share share = {
      .identifier = session->identifier,
      .exponent = session->exponent,
      .group = (uint8_t)session->group,
      .group_threshold = session->group_threshold,
      .group_count = session->group_count,
      .member = session->next,
      .member_threshold = session->threshold,
      .length = KEY_BYTES,
  };
  memcpy(share.value, session->values[session->next], KEY_BYTES);
  mask_member(&share, password);
  char words[512];
  words_of(&share, words);
  *mnemonic = hand_out(words, strlen(words) + 1);
  if (++session->next < session->members) DONE(NO_CHANGE);
  session->group = -1;
  if (++session->done_groups < session->group_count) DONE(NO_CHANGE);
  DONE(end_with_seed(device, session->secret, KEY_BYTES));
}

API int zkRestoreWalletMasterSeedFromSLIP39(void *ctx, int type, const char *variant,
                                            const char *wallet, const uint8_t *generator,
                                            int generator_size, const char *passphrase) {
  CALL(ctx, zkRestoreWalletMasterSeedFromSLIP39);
  (void)generator;
  if (variant[0] != '\0' || generator_size != 0) DONE(-EINVAL);
  int opened = open_session(device, 2, type, wallet, passphrase);
  DONE(opened < 0 ? opened : NO_CHANGE);
}

API int zkAddRestoreSLIP39Mnemonic(void *ctx, const char *password, const char *mnemonic) {
  CALL(ctx, zkAddRestoreSLIP39Mnemonic);
  struct session *session = &device->session;
  if (session->kind != 2) DONE(-EINVAL);
  if (session->shares == sizeof session->taken / sizeof *session->taken) DONE(NO_CHANGE);
  struct share *share = &session->taken[session->shares];
  if (!share_of(mnemonic, share)) DONE(NO_CHANGE);
  mask_member(share, password);
  session->shares++;
  uint8_t secret[KEY_BYTES];
  int length = combine(session->taken, session->shares, session->passphrase, secret);
  DONE(length <= 0 ? NO_CHANGE : end_with_seed(device, secret, length));
}

API int zkCancelSLIP39Session(void *ctx) {
  CALL(ctx, zkCancelSLIP39Session);
  if (device->session.kind == 0) DONE(-EINVAL);
  memset(&device->session, 0, sizeof device->session);
  DONE(0);
}

API int zkGenWalletChildKey(void *ctx, int parent, uint32_t index, bool hardened, bool wants_chain,
                            uint8_t **chain) {
  CALL(ctx, zkGenWalletChildKey);
  if (device->session.kind != 0) DONE(-EBUSY);
  if (parent < FIRST_USER_SLOT || parent >= SLOTS) DONE(-EINVAL);
  int slot = add_child(device, parent, index, hardened);
  if (slot >= 0 && wants_chain) *chain = hand_out(device->keys[slot].chain, KEY_BYTES);
  DONE(slot);
}

API int zkGetWalletNodeAddrFromKeySlot(void *ctx, int slot, char **address, char **wallet,
                                       int *seed_slot) {
  CALL(ctx, zkGetWalletNodeAddrFromKeySlot);
  if (slot < FIRST_USER_SLOT || slot >= SLOTS || !device->keys[slot].in_wallet) DONE(-EINVAL);
  const struct key *key = &device->keys[slot];
  *address = hand_out(key->address, strlen(key->address) + 1);
  if (wallet != NULL) *wallet = hand_out(key->wallet, strlen(key->wallet) + 1);
  if (seed_slot != NULL) *seed_slot = key->master;
  DONE(0);
}

API int zkGetWalletKeySlotFromNodeAddr(void *ctx, const char *address, const char *wallet,
                                       int seed_slot, int *out) {
  CALL(ctx, zkGetWalletKeySlotFromNodeAddr);
  for (int slot = FIRST_USER_SLOT; slot < SLOTS; slot++) {
    const struct key *key = &device->keys[slot];
    bool is_of = wallet != NULL ? strcmp(key->wallet, wallet) == 0 : key->master == seed_slot;
    if (key->used && key->in_wallet && is_of && strcmp(key->address, address) == 0) {
      *out = slot;
      DONE(0);
    }
  }
  DONE(-ENOENT);
}
