/* The file that is the device, its lock, its faults, and the memory that callers have to free. */
#define _GNU_SOURCE
#include "device.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/rand.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

/* Each buffer is so much larger than its content, so that one that nobody frees shows. */
enum { PADDING = 4096 };

static void make_device(struct device *device) {
  RAND_bytes(device->device_secret, KEY_BYTES);
  for (int slot = 0; slot < FACTORY_SLOTS; slot++) {
    struct key *key = &device->keys[slot];
    key->used = 1;
    key->type = NISTP256;
    make_secret(NISTP256, key->secret);
  }
  device->is_made = 1;
}

int open_context(struct context **out) {
  const char *path = getenv("QUORATE_ZYMBIT_SIMULATOR");
  if (path == NULL) return -ENODEV;
  struct context *context = calloc(1, sizeof *context);
  context->file = open(path, O_RDWR | O_CLOEXEC);
  if (context->file < 0) {
    free(context);
    return -ENODEV;
  }
  flock(context->file, LOCK_EX);
  if (ftruncate(context->file, sizeof(struct device)) != 0) abort();
  context->device =
      mmap(NULL, sizeof(struct device), PROT_READ | PROT_WRITE, MAP_SHARED, context->file, 0);
  if (context->device == MAP_FAILED) abort();
  if (!context->device->is_made) make_device(context->device);
  context->seen_trips = context->device->trips;
  flock(context->file, LOCK_UN);
  *out = context;
  return 0;
}

void close_context(struct context *context) {
  munmap(context->device, sizeof(struct device));
  close(context->file);
  free(context);
}

/* A breach since the last call, on a channel that is to destroy the keys. */
static void answer_breach(struct device *device) {
  if (device->trips == device->handled_trips) return;
  device->handled_trips = device->trips;
  for (int channel = 0; channel < 2; channel++)
    if (device->stamps[channel] != 0 && (device->actions[channel] & SELF_DESTRUCT) != 0)
      memset(device->keys, 0, sizeof device->keys);
}

/* Begins a call: 0 to go on with the device locked, or what to answer instead. */
int enter(struct context *context, int function) {
  struct fault *fault = &context->device->faults[function];
  __atomic_add_fetch(&fault->calls, 1, __ATOMIC_SEQ_CST);
  context->function = function;
  if (fault->latency_us > 0) usleep(fault->latency_us);
  if (fault->left > 0) {
    if (fault->action == ACTION_ANSWER) {
      fault->left--;
      return fault->answer;
    }
    if (fault->action == ACTION_CRASH) {
      fault->left--;
      raise(SIGSEGV);
    }
    if (fault->action == ACTION_HANG) {
      fault->left--;
      for (;;) pause();
    }
  }
  flock(context->file, LOCK_EX);
  answer_breach(context->device);
  return 0;
}

int leave(struct context *context, int result) {
  struct fault *fault = &context->device->faults[context->function];
  if (fault->action == ACTION_CRASH_AFTER && fault->left > 0) {
    fault->left--;
    raise(SIGSEGV);
  }
  flock(context->file, LOCK_UN);
  return result;
}

bool spoils(struct context *context) {
  struct fault *fault = &context->device->faults[context->function];
  if (fault->action != ACTION_SPOIL || fault->left == 0) return false;
  fault->left--;
  return true;
}

void *hand_out(const void *bytes, size_t length) {
  uint8_t *block = malloc(length + PADDING);
  memset(block + length, 0xa5, PADDING);
  return memcpy(block, bytes, length);
}

int free_slot(const struct device *device) {
  int end = device->capacity == 0 ? SLOTS : FIRST_USER_SLOT + (int)device->capacity;
  for (int slot = FIRST_USER_SLOT; slot < end; slot++)
    if (!device->keys[slot].used) return slot;
  return -ENOSPC;
}
