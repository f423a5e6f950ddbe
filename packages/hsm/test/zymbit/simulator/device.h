/*
 * The simulated device: what it holds, in a file that every process maps, so that it survives them all.
 *
 * This is a test double of ours for libzk_app_utils.so and the HSM6 behind it. It makes real signatures,
 * wallets and SLIP-39 shares with the return values of the true library, and protects nothing: secrets lie
 * in the file as they are.
 */
#ifndef DEVICE_H
#define DEVICE_H

#include <openssl/bn.h>
#include <openssl/ec.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "generated.h"

#define API __attribute__((visibility("default")))

enum { SLOTS = 528, FIRST_USER_SLOT = 16, FACTORY_SLOTS = 12, FOREIGN_SLOTS = 128 };
enum { NISTP256, SECP256K1, ED25519, X25519 };
enum { KEY_BYTES = 32, MAX_GROUPS = 14, MAX_MEMBERS = 14, ADDRESS_BYTES = 192, NAME_BYTES = 64 };
enum { ACTION_NONE, ACTION_ANSWER, ACTION_CRASH, ACTION_HANG, ACTION_CRASH_AFTER, ACTION_SPOIL };
enum { NOTIFY = 1, SELF_DESTRUCT = 2 };

/* What happens to the next `left` calls of a function. */
struct fault {
  uint32_t calls, action, left;
  int32_t answer;
  uint32_t latency_us, reserved;
};

struct key {
  uint8_t used, type, in_wallet, hidden;
  int32_t master;
  uint8_t secret[KEY_BYTES], chain[KEY_BYTES];
  char address[ADDRESS_BYTES], wallet[NAME_BYTES];
};

struct share {
  uint16_t identifier;
  uint8_t extendable, exponent, group, group_threshold, group_count, member, member_threshold, length;
  uint8_t value[KEY_BYTES];
};

/* A session of SLIP-39, which locks everything that makes keys. */
struct session {
  uint8_t kind; /* 0 none, 1 making shares, 2 taking them */
  uint8_t type, exponent, group_count, group_threshold, done_groups;
  int8_t group; /* the one whose members are being made, or -1 */
  uint8_t members, threshold, next;
  uint16_t identifier, shares;
  char wallet[NAME_BYTES], passphrase[128];
  uint8_t secret[KEY_BYTES], group_secrets[MAX_GROUPS][KEY_BYTES], values[MAX_MEMBERS][KEY_BYTES];
  struct share taken[64];
};

/* The first fields are written by the tests too; `simulator.ts` knows their places. */
struct device {
  uint32_t trips, stamps[2];
  float battery, celsius;
  uint32_t is_bound, is_locked, actions[2], capacity, reserved[6];
  struct fault faults[FUNCTION_COUNT];
  uint32_t is_made, handled_trips;
  uint8_t device_secret[KEY_BYTES];
  struct key keys[SLOTS];
  struct session session;
};

struct context {
  int file;
  struct device *device;
  uint32_t seen_trips;
  int function;
};

/* state.c */
int open_context(struct context **out);
void close_context(struct context *context);
int enter(struct context *context, int function);
int leave(struct context *context, int result);
bool spoils(struct context *context);
void *hand_out(const void *bytes, size_t length);
int free_slot(const struct device *device);

/* curves.c */
const EC_GROUP *group_of(int type);
bool make_secret(int type, uint8_t secret[KEY_BYTES]);
bool public_of(int type, const uint8_t secret[KEY_BYTES], uint8_t out[64], size_t *length);
bool compressed_of(int type, const uint8_t secret[KEY_BYTES], uint8_t out[33]);
bool sign_digest(const struct key *key, const uint8_t digest[32], uint8_t signature[64]);
int verify_digest(const struct key *key, const uint8_t digest[32], const uint8_t *signature, int length);
bool agree(const struct key *key, const uint8_t *peer, int length, uint8_t shared[32]);

/* wallet.c */
int add_seed(struct device *device, int type, const char *wallet, const uint8_t *seed, size_t length);
int add_child(struct device *device, int parent, uint32_t index, bool hardened);
void mnemonic_of(const uint8_t entropy[32], char out[256]);
bool entropy_of(const char *mnemonic, uint8_t entropy[32]);
bool decode_passphrase(const char *base64, char out[128]);
bool has_wallet(const struct device *device, const char *name);

/* slip39.c */
bool split_secret(int threshold, int count, const uint8_t *secret, int length, uint8_t out[][KEY_BYTES]);
void encrypt_master(uint8_t *secret, int length, const char *passphrase, const struct share *terms, bool back);
void words_of(const struct share *share, char out[512]);
bool share_of(const char *words, struct share *out);
int combine(const struct share *shares, int count, const char *passphrase, uint8_t out[KEY_BYTES]);
void mask_member(struct share *share, const char *password);

#endif
