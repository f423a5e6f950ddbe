/* The exported functions for contexts, keys, data and the state of the device. */
#include "device.h"

#include <errno.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define CALL(ctx, function)                  \
  struct context *context = ctx;             \
  struct device *device = context->device;   \
  int began = enter(context, FN_##function); \
  if (began != 0) return began
#define DONE(result) return leave(context, result)

static struct key *key_at(struct device *device, int slot) {
  if (slot < 0 || slot >= SLOTS || !device->keys[slot].used) return NULL;
  return &device->keys[slot];
}

API int zkOpen(void **ctx) { return open_context((struct context **)ctx); }

API int zkClose(void *ctx) {
  close_context(ctx);
  return 0;
}

API int zkGetRandBytes(void *ctx, uint8_t **out, int length) {
  CALL(ctx, zkGetRandBytes);
  (void)device;
  if (length < 1) DONE(-EINVAL);
  uint8_t *bytes = malloc((size_t)length);
  RAND_bytes(bytes, length);
  *out = hand_out(bytes, (size_t)length);
  free(bytes);
  DONE(0);
}

API int zkGenKeyPair(void *ctx, int type) {
  CALL(ctx, zkGenKeyPair);
  if (type < NISTP256 || type > X25519) DONE(-EINVAL);
  if (device->session.kind != 0) DONE(-EBUSY);
  int slot = free_slot(device);
  if (slot < 0) DONE(slot);
  struct key *key = &device->keys[slot];
  memset(key, 0, sizeof *key);
  make_secret(type, key->secret);
  key->type = (uint8_t)type;
  key->used = 1;
  DONE(slot);
}

API int zkRemoveKey(void *ctx, int slot, bool foreign) {
  CALL(ctx, zkRemoveKey);
  const struct key *key = key_at(device, slot);
  if (foreign || key == NULL || slot < FIRST_USER_SLOT) DONE(-EINVAL);
  /* With a seed go all the keys below it. */
  bool is_seed = key->in_wallet && key->master == slot;
  for (int each = FIRST_USER_SLOT; is_seed && each < SLOTS; each++)
    if (each != slot && device->keys[each].in_wallet && device->keys[each].master == slot)
      memset(&device->keys[each], 0, sizeof(struct key));
  memset(&device->keys[slot], 0, sizeof(struct key));
  DONE(0);
}

API int zkExportPubKey(void *ctx, uint8_t **out, int *size, int slot, bool foreign) {
  CALL(ctx, zkExportPubKey);
  const struct key *key = key_at(device, slot);
  uint8_t public[64];
  size_t length;
  if (foreign || key == NULL) DONE(-EINVAL);
  if (key->hidden) DONE(-EACCES);
  if (!public_of(key->type, key->secret, public, &length)) DONE(-EIO);
  *out = hand_out(public, length);
  *size = (int)length;
  DONE(0);
}

API int zkDisablePubKeyExport(void *ctx, int slot, bool foreign) {
  CALL(ctx, zkDisablePubKeyExport);
  struct key *key = key_at(device, slot);
  if (foreign || key == NULL) DONE(-EINVAL);
  key->hidden = 1;
  DONE(0);
}

API int zkGetAllocSlotsList(void *ctx, bool foreign, int *max, int **list, int *count) {
  CALL(ctx, zkGetAllocSlotsList);
  int slots[SLOTS], found = 0;
  for (int slot = 0; !foreign && slot < SLOTS; slot++)
    if (device->keys[slot].used) slots[found++] = slot;
  *max = foreign ? FOREIGN_SLOTS : SLOTS;
  *list = hand_out(slots, (size_t)found * sizeof *slots);
  *count = found;
  DONE(0);
}

API int zkGenECDSASigFromDigest(void *ctx, const uint8_t *digest, int slot, uint8_t **out,
                                int *size) {
  CALL(ctx, zkGenECDSASigFromDigest);
  const struct key *key = key_at(device, slot);
  uint8_t signature[64];
  if (key == NULL || !sign_digest(key, digest, signature)) DONE(-EINVAL);
  if (spoils(context)) signature[40] ^= 1;
  *out = hand_out(signature, sizeof signature);
  *size = sizeof signature;
  DONE(0);
}

API int zkVerifyECDSASigFromDigest(void *ctx, const uint8_t *digest, int slot,
                                   const uint8_t *signature, int size) {
  CALL(ctx, zkVerifyECDSASigFromDigest);
  const struct key *key = key_at(device, slot);
  if (key == NULL) DONE(-EINVAL);
  DONE(verify_digest(key, digest, signature, size));
}

/* HKDF (RFC 5869) over the x of the shared point. */
API int zkDoECDHAndKDF(void *ctx, int kdf, int slot, const uint8_t *peer, int peer_size,
                       const uint8_t *salt, int salt_size, const uint8_t *info, int info_size,
                       int iterations, int length, uint8_t **out) {
  CALL(ctx, zkDoECDHAndKDF);
  (void)iterations;
  const struct key *key = key_at(device, slot);
  uint8_t shared[32], root[32], block[32 + 128 + 1], okm[96] = {0};
  if (kdf != 0 || salt_size < 0 || salt_size > 128 || info_size < 0 || info_size > 128 ||
      length < 1 || length > 96 || key == NULL || !agree(key, peer, peer_size, shared))
    DONE(-EINVAL);
  HMAC(EVP_sha256(), salt, salt_size, shared, sizeof shared, root, NULL);
  for (int number = 1; (number - 1) * 32 < length; number++) {
    int before = number == 1 ? 0 : 32;
    if (before > 0) memcpy(block, okm + (number - 2) * 32, 32);
    memcpy(block + before, info, (size_t)info_size);
    block[before + info_size] = (uint8_t)number;
    HMAC(EVP_sha256(), root, 32, block, (size_t)(before + info_size) + 1, okm + (number - 1) * 32,
         NULL);
  }
  *out = hand_out(okm, (size_t)length);
  DONE(0);
}

enum { NONCE = 12, TAG = 16 };

API int zkLockDataB2B(void *ctx, const uint8_t *plain, int length, uint8_t **out, int *size,
                      bool shared) {
  CALL(ctx, zkLockDataB2B);
  if (length < 0 || shared) DONE(-EINVAL);
  uint8_t *sealed = malloc((size_t)length + NONCE + TAG);
  EVP_CIPHER_CTX *cipher = EVP_CIPHER_CTX_new();
  int done;
  RAND_bytes(sealed, NONCE);
  EVP_EncryptInit_ex(cipher, EVP_aes_256_gcm(), NULL, device->device_secret, sealed);
  EVP_EncryptUpdate(cipher, sealed + NONCE, &done, plain, length);
  EVP_EncryptFinal_ex(cipher, sealed + NONCE + done, &done);
  EVP_CIPHER_CTX_ctrl(cipher, EVP_CTRL_GCM_GET_TAG, TAG, sealed + NONCE + length);
  EVP_CIPHER_CTX_free(cipher);
  *size = length + NONCE + TAG;
  *out = hand_out(sealed, (size_t)*size);
  free(sealed);
  DONE(0);
}

API int zkUnlockDataB2B(void *ctx, const uint8_t *sealed, int size, uint8_t **out, int *length,
                        bool shared) {
  CALL(ctx, zkUnlockDataB2B);
  if (size < NONCE + TAG || shared) DONE(-EINVAL);
  int body = size - NONCE - TAG, done;
  uint8_t *plain = malloc((size_t)body + 1);
  EVP_CIPHER_CTX *cipher = EVP_CIPHER_CTX_new();
  EVP_DecryptInit_ex(cipher, EVP_aes_256_gcm(), NULL, device->device_secret, sealed);
  EVP_DecryptUpdate(cipher, plain, &done, sealed + NONCE, body);
  EVP_CIPHER_CTX_ctrl(cipher, EVP_CTRL_GCM_SET_TAG, TAG, (void *)(sealed + NONCE + body));
  int opened = EVP_DecryptFinal_ex(cipher, plain + done, &done);
  EVP_CIPHER_CTX_free(cipher);
  if (opened == 1) {
    *out = hand_out(plain, (size_t)body);
    *length = body;
  }
  free(plain);
  DONE(opened == 1 ? 0 : -EBADMSG);
}

API int zkSetPerimeterEventAction(void *ctx, int channel, uint32_t flags) {
  CALL(ctx, zkSetPerimeterEventAction);
  if (channel < 0 || channel > 1 || flags > 3) DONE(-EINVAL);
  device->actions[channel] = flags;
  DONE(0);
}

API int zkWaitForPerimeterEvent(void *ctx, uint32_t timeout_ms) {
  CALL(ctx, zkWaitForPerimeterEvent);
  leave(context, 0);
  struct timespec start, now;
  clock_gettime(CLOCK_MONOTONIC, &start);
  for (;;) {
    uint32_t trips = __atomic_load_n(&device->trips, __ATOMIC_SEQ_CST);
    bool notifies = ((device->actions[0] | device->actions[1]) & NOTIFY) != 0;
    if (trips != context->seen_trips && notifies) {
      context->seen_trips = trips;
      return 0;
    }
    clock_gettime(CLOCK_MONOTONIC, &now);
    int64_t passed = (now.tv_sec - start.tv_sec) * 1000 + (now.tv_nsec - start.tv_nsec) / 1000000;
    if (passed >= timeout_ms) return -ETIMEDOUT;
    usleep(2000);
  }
}

API int zkGetPerimeterDetectInfo(void *ctx, uint32_t **out, int *count) {
  CALL(ctx, zkGetPerimeterDetectInfo);
  *out = hand_out(device->stamps, sizeof device->stamps);
  *count = 2;
  DONE(0);
}

API int zkClearPerimeterDetectEvents(void *ctx) {
  CALL(ctx, zkClearPerimeterDetectEvents);
  device->stamps[0] = device->stamps[1] = 0;
  DONE(0);
}

API int zkLockBinding(void *ctx) {
  CALL(ctx, zkLockBinding);
  device->is_locked = 1;
  DONE(0);
}

API int zkGetCurrentBindingInfo(void *ctx, bool *locked, bool *bound) {
  CALL(ctx, zkGetCurrentBindingInfo);
  *locked = device->is_locked != 0;
  *bound = device->is_bound != 0;
  DONE(0);
}

API int zkGetCPUTemp(void *ctx, float *celsius) {
  CALL(ctx, zkGetCPUTemp);
  *celsius = device->celsius;
  DONE(0);
}

API int zkGetBatteryVoltage(void *ctx, float *volts) {
  CALL(ctx, zkGetBatteryVoltage);
  *volts = device->battery;
  DONE(0);
}

API int zkGetTime(void *ctx, uint32_t *seconds, bool precise) {
  CALL(ctx, zkGetTime);
  (void)device;
  (void)precise;
  *seconds = (uint32_t)time(NULL);
  DONE(0);
}

API int zkGetModelNumberString(void *ctx, char **out) {
  CALL(ctx, zkGetModelNumberString);
  (void)device;
  *out = hand_out("HSM6-SIMULATED", 15);
  DONE(0);
}

API int zkGetFirmwareVersionString(void *ctx, char **out) {
  CALL(ctx, zkGetFirmwareVersionString);
  (void)device;
  *out = hand_out("01.00.00sim", 12);
  DONE(0);
}

API int zkGetSerialNumberString(void *ctx, char **out) {
  CALL(ctx, zkGetSerialNumberString);
  char serial[17] = {0};
  for (int i = 0; i < 8; i++) {
    serial[2 * i] = "0123456789ABCDEF"[device->device_secret[i] >> 4];
    serial[2 * i + 1] = "0123456789ABCDEF"[device->device_secret[i] & 15];
  }
  *out = hand_out(serial, sizeof serial);
  DONE(0);
}
