/* SLIP-39: shares of GF(256) polynomials, the cipher of the master secret, and words with RS1024. */
#include "device.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>
#include <stdio.h>
#include <string.h>

enum { DIGEST_AT = 254, SECRET_AT = 255, CHECKSUM = 3 };

static uint8_t multiply(uint8_t a, uint8_t b) {
  uint8_t product = 0;
  for (; b != 0; b >>= 1) {
    if (b & 1) product ^= a;
    a = (uint8_t)(a << 1 ^ (a & 0x80 ? 0x1b : 0));
  }
  return product;
}

static uint8_t invert(uint8_t a) {
  uint8_t power = 1;
  for (int i = 0; i < 254; i++) power = multiply(power, a);
  return power;
}

static void interpolate(const uint8_t *xs, const uint8_t ys[][KEY_BYTES], int count, uint8_t x,
                        int length, uint8_t *out) {
  memset(out, 0, (size_t)length);
  for (int i = 0; i < count; i++) {
    uint8_t weight = 1;
    for (int j = 0; j < count; j++)
      if (j != i) weight = multiply(weight, multiply(x ^ xs[j], invert(xs[i] ^ xs[j])));
    for (int at = 0; at < length; at++) out[at] ^= multiply(weight, ys[i][at]);
  }
}

static void digest_of(const uint8_t *filler, int filler_length, const uint8_t *secret, int length,
                      uint8_t out[4]) {
  uint8_t mac[32];
  HMAC(EVP_sha256(), filler, filler_length, secret, (size_t)length, mac, NULL);
  memcpy(out, mac, 4);
}

bool split_secret(int threshold, int count, const uint8_t *secret, int length,
                  uint8_t out[][KEY_BYTES]) {
  if (threshold < 1 || threshold > count) return false;
  if (threshold == 1) {
    for (int i = 0; i < count; i++) memcpy(out[i], secret, (size_t)length);
    return true;
  }
  uint8_t xs[MAX_MEMBERS + 2], ys[MAX_MEMBERS + 2][KEY_BYTES];
  int known = 0;
  for (; known < threshold - 2; known++) {
    xs[known] = (uint8_t)known;
    RAND_bytes(ys[known], length);
    memcpy(out[known], ys[known], (size_t)length);
  }
  xs[known] = DIGEST_AT;
  RAND_bytes(ys[known] + 4, length - 4);
  digest_of(ys[known] + 4, length - 4, secret, length, ys[known]);
  xs[known + 1] = SECRET_AT;
  memcpy(ys[known + 1], secret, (size_t)length);
  for (int x = known; x < count; x++) interpolate(xs, ys, threshold, (uint8_t)x, length, out[x]);
  return true;
}

static bool join(int threshold, const uint8_t *xs, const uint8_t ys[][KEY_BYTES], int length,
                 uint8_t *out) {
  if (threshold == 1) {
    memcpy(out, ys[0], (size_t)length);
    return true;
  }
  uint8_t check[KEY_BYTES], digest[4];
  interpolate(xs, ys, threshold, SECRET_AT, length, out);
  interpolate(xs, ys, threshold, DIGEST_AT, length, check);
  digest_of(check + 4, length - 4, out, length, digest);
  return memcmp(digest, check, 4) == 0;
}

void encrypt_master(uint8_t *secret, int length, const char *passphrase, const struct share *terms,
                    bool back) {
  int half = length / 2;
  uint8_t left[16], right[16], f[16], salt[8 + 16] = "shamir";
  memcpy(left, secret, (size_t)half);
  memcpy(right, secret + half, (size_t)half);
  int prefix = terms->extendable ? 0 : 8;
  salt[6] = (uint8_t)(terms->identifier >> 8);
  salt[7] = (uint8_t)terms->identifier;
  for (int step = 0; step < 4; step++) {
    char password[132];
    password[0] = (char)(back ? 3 - step : step);
    size_t words = strlen(passphrase);
    memcpy(password + 1, passphrase, words);
    memcpy(salt + prefix, right, (size_t)half);
    PKCS5_PBKDF2_HMAC(password, (int)words + 1, salt, prefix + half, 2500 << terms->exponent,
                      EVP_sha256(), half, f);
    for (int i = 0; i < half; i++) f[i] ^= left[i];
    memcpy(left, right, (size_t)half);
    memcpy(right, f, (size_t)half);
  }
  memcpy(secret, right, (size_t)half);
  memcpy(secret + half, left, (size_t)half);
}

static uint32_t polymod(const char *customization, const int *words, int count) {
  static const uint32_t generator[10] = {0xe0e040,  0x1c1c080, 0x3838100,  0x7070200,  0xe0e0009,
                                         0x1c0c2412, 0x38086c24, 0x3090fc48, 0x21b1f890, 0x3f3f120};
  uint32_t checksum = 1;
  int prefix = (int)strlen(customization);
  for (int i = 0; i < prefix + count; i++) {
    uint32_t value = i < prefix ? (uint8_t)customization[i] : (uint32_t)words[i - prefix];
    uint32_t top = checksum >> 20;
    checksum = (checksum & 0xfffff) << 10 ^ value;
    for (int bit = 0; bit < 10; bit++)
      if (top >> bit & 1) checksum ^= generator[bit];
  }
  return checksum;
}

static const char *customization_of(bool extendable) {
  return extendable ? "shamir_extendable" : "shamir";
}

/* Ten bits to a word, the highest first. */
struct bits {
  int words[64], at;
};

static void put(struct bits *bits, uint32_t value, int width) {
  for (int bit = width - 1; bit >= 0; bit--, bits->at++)
    bits->words[bits->at / 10] |= (int)(value >> bit & 1) << (9 - bits->at % 10);
}

static uint32_t get(struct bits *bits, int width) {
  uint32_t value = 0;
  for (int i = 0; i < width; i++, bits->at++)
    value = value << 1 | (uint32_t)(bits->words[bits->at / 10] >> (9 - bits->at % 10) & 1);
  return value;
}

void words_of(const struct share *share, char out[512]) {
  struct bits bits = {0};
  put(&bits, share->identifier, 15);
  put(&bits, share->extendable, 1);
  put(&bits, share->exponent, 4);
  put(&bits, share->group, 4);
  put(&bits, share->group_threshold - 1u, 4);
  put(&bits, share->group_count - 1u, 4);
  put(&bits, share->member, 4);
  put(&bits, share->member_threshold - 1u, 4);
  put(&bits, 0, (10 - share->length * 8 % 10) % 10);
  for (int i = 0; i < share->length; i++) put(&bits, share->value[i], 8);
  int count = bits.at / 10;
  uint32_t checksum = polymod(customization_of(share->extendable), bits.words, count + CHECKSUM) ^ 1;
  for (int i = 0; i < CHECKSUM; i++) bits.words[count + i] = (int)(checksum >> (20 - 10 * i) & 1023);
  out[0] = '\0';
  for (int i = 0; i < count + CHECKSUM; i++) {
    if (i > 0) strcat(out, " ");
    strcat(out, SLIP39_WORDS[bits.words[i]]);
  }
}

bool share_of(const char *words, struct share *out) {
  struct bits bits = {0};
  char copy[640], *rest = NULL;
  if (strlen(words) >= sizeof copy) return false;
  strcpy(copy, words);
  int count = 0;
  for (char *text = strtok_r(copy, " ", &rest); text != NULL; text = strtok_r(NULL, " ", &rest)) {
    int index = 0;
    while (index < 1024 && strcmp(SLIP39_WORDS[index], text) != 0) index++;
    if (index == 1024 || count == 64) return false;
    bits.words[count++] = index;
  }
  if (count != 20 && count != 33) return false;
  out->identifier = (uint16_t)get(&bits, 15);
  out->extendable = (uint8_t)get(&bits, 1);
  if (polymod(customization_of(out->extendable), bits.words, count) != 1) return false;
  out->exponent = (uint8_t)get(&bits, 4);
  out->group = (uint8_t)get(&bits, 4);
  out->group_threshold = (uint8_t)(get(&bits, 4) + 1);
  out->group_count = (uint8_t)(get(&bits, 4) + 1);
  out->member = (uint8_t)get(&bits, 4);
  out->member_threshold = (uint8_t)(get(&bits, 4) + 1);
  out->length = count == 20 ? 16 : 32;
  int padding = (count - 7) * 10 - out->length * 8;
  if (out->group_threshold > out->group_count || get(&bits, padding) != 0) return false;
  for (int i = 0; i < out->length; i++) out->value[i] = (uint8_t)get(&bits, 8);
  return true;
}

/* The length of the secret once enough shares are there, 0 before, -1 where they do not fit together. */
int combine(const struct share *shares, int count, const char *passphrase, uint8_t out[KEY_BYTES]) {
  uint8_t groups[16], secrets[16][KEY_BYTES];
  int complete = 0;
  const struct share *first = &shares[0];
  for (int group = 0; group < 16; group++) {
    uint8_t xs[16], ys[16][KEY_BYTES];
    int found = 0, threshold = 0;
    for (int i = 0; i < count; i++) {
      const struct share *share = &shares[i];
      if (share->identifier != first->identifier || share->exponent != first->exponent ||
          share->extendable != first->extendable || share->length != first->length ||
          share->group_count != first->group_count ||
          share->group_threshold != first->group_threshold)
        return -1;
      if (share->group != group) continue;
      if (threshold != 0 && threshold != share->member_threshold) return -1;
      threshold = share->member_threshold;
      for (int j = 0; j < found; j++)
        if (xs[j] == share->member) return -1;
      if (found == threshold) continue;
      xs[found] = share->member;
      memcpy(ys[found++], share->value, KEY_BYTES);
    }
    if (threshold == 0 || found < threshold || complete == first->group_threshold) continue;
    groups[complete] = (uint8_t)group;
    if (!join(threshold, xs, ys, first->length, secrets[complete++])) return -1;
  }
  if (complete < first->group_threshold) return 0;
  if (!join(complete, groups, secrets, first->length, out)) return -1;
  encrypt_master(out, first->length, passphrase, first, true);
  return first->length;
}

/* The password of a member hides the value of the share. How the true device does it is not published. */
void mask_member(struct share *share, const char *password) {
  if (password[0] == '\0') return;
  uint8_t mask[KEY_BYTES], salt[4] = {share->group, share->member, share->length, 0};
  PKCS5_PBKDF2_HMAC(password, -1, salt, sizeof salt, 1000, EVP_sha256(), share->length, mask);
  for (int i = 0; i < share->length; i++) share->value[i] ^= mask[i];
}
