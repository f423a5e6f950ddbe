/*
 * A PKCS#11 module that forwards every call to a real one and misbehaves on request, as devices do.
 *
 *   QUORATE_SHIM_MODULE   path of the real module
 *   QUORATE_SHIM_CONTROL  a file of one `struct page`, mapped and shared with whoever controls the
 *                         faults (shim.ts has the same layout); without it nothing goes wrong
 *
 * Every parameter of Cryptoki is a CK_ULONG, a pointer or a CK_BBOOL, and each of them travels as
 * one machine word on the 64-bit Unix ABIs. So a call is forwarded by its number of words alone.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>
#include "shapes.h"

/* The functions of CK_FUNCTION_LIST in their order, with their number of parameters. */
#define FUNCTIONS(PASS, OWN) \
  OWN(C_Initialize, 1) OWN(C_Finalize, 1) PASS(C_GetInfo, 1) PASS(C_GetFunctionList, 1) \
  OWN(C_GetSlotList, 3) OWN(C_GetSlotInfo, 2) PASS(C_GetTokenInfo, 2) PASS(C_GetMechanismList, 3) \
  PASS(C_GetMechanismInfo, 3) PASS(C_InitToken, 4) PASS(C_InitPIN, 3) PASS(C_SetPIN, 5) \
  OWN(C_OpenSession, 5) OWN(C_CloseSession, 1) OWN(C_CloseAllSessions, 1) \
  PASS(C_GetSessionInfo, 2) PASS(C_GetOperationState, 3) PASS(C_SetOperationState, 5) \
  PASS(C_Login, 4) PASS(C_Logout, 1) PASS(C_CreateObject, 4) PASS(C_CopyObject, 5) \
  PASS(C_DestroyObject, 2) PASS(C_GetObjectSize, 3) OWN(C_GetAttributeValue, 4) \
  PASS(C_SetAttributeValue, 4) PASS(C_FindObjectsInit, 3) PASS(C_FindObjects, 4) \
  PASS(C_FindObjectsFinal, 1) OWN(C_EncryptInit, 3) OWN(C_Encrypt, 5) PASS(C_EncryptUpdate, 5) \
  PASS(C_EncryptFinal, 3) PASS(C_DecryptInit, 3) PASS(C_Decrypt, 5) PASS(C_DecryptUpdate, 5) \
  PASS(C_DecryptFinal, 3) PASS(C_DigestInit, 2) PASS(C_Digest, 5) PASS(C_DigestUpdate, 3) \
  PASS(C_DigestKey, 2) PASS(C_DigestFinal, 3) OWN(C_SignInit, 3) OWN(C_Sign, 5) \
  PASS(C_SignUpdate, 3) PASS(C_SignFinal, 3) PASS(C_SignRecoverInit, 3) PASS(C_SignRecover, 5) \
  PASS(C_VerifyInit, 3) PASS(C_Verify, 5) PASS(C_VerifyUpdate, 3) PASS(C_VerifyFinal, 3) \
  PASS(C_VerifyRecoverInit, 3) PASS(C_VerifyRecover, 5) PASS(C_DigestEncryptUpdate, 5) \
  PASS(C_DecryptDigestUpdate, 5) PASS(C_SignEncryptUpdate, 5) PASS(C_DecryptVerifyUpdate, 5) \
  PASS(C_GenerateKey, 5) PASS(C_GenerateKeyPair, 8) PASS(C_WrapKey, 6) PASS(C_UnwrapKey, 8) \
  PASS(C_DeriveKey, 6) PASS(C_SeedRandom, 3) PASS(C_GenerateRandom, 3) \
  PASS(C_GetFunctionStatus, 1) PASS(C_CancelFunction, 1) PASS(C_WaitForSlotEvent, 3)

#define NUMBER(name, n) N_##name,
enum { FUNCTIONS(NUMBER, NUMBER) COUNT };

enum {
  OK = 0, DATA_LEN_RANGE = 0x21, DEVICE_REMOVED = 0x32, NOT_SUPPORTED = 0x54,
  PARAM_INVALID = 0x71, SESSION_COUNT = 0xb1, TOKEN_NOT_PRESENT = 0xe0,
  BUFFER_TOO_SMALL = 0x150, GENERAL_ERROR = 0x05,
  CKM_ECDSA = 0x1041, CKM_ECDSA_SHA512 = 0x1046, CKM_EDDSA = 0x1057, CKM_AES_GCM = 0x1087,
  CKA_EC_PARAMS = 0x180, CKA_EC_POINT = 0x181, CKF_TOKEN_PRESENT = 1,
};
#define UNAVAILABLE (~0ul)

struct attribute { word type; byte *value; word length; };
struct mechanism { word type; void *parameter; word length; };
struct gcm { byte *iv; word iv_length, iv_bits; byte *aad; word aad_length, tag_bits; };
struct slot_info { byte description[64], manufacturer[32]; word flags; byte versions[4]; };

/* When a fault strikes, and what it is. */
enum { NEVER, NEXT, EVERY, ALWAYS };
enum { INSTEAD, AFTERWARDS, CRASH, CRASH_AFTERWARDS, HANG };
enum { GCM_PLAIN, GCM_WRITES_IV, GCM_APPENDS_IV };
enum { POINT_PLAIN, POINT_RAW, POINT_DER };
enum { HIGH_S = 1, DER = 2 };

struct fault { uint64_t calls, rv; uint32_t mode, n, action, latency_us, seen, padding; };
struct page {
  uint32_t unplugged, plugs;
  uint64_t removed_rv;
  uint32_t session_cap, gcm, signature, spoil, point, padding[7];
  struct { uint64_t type; uint32_t is_active, value; } overrides[8];
  struct fault faults[COUNT];
};

static struct page no_faults;
static struct page *page = &no_faults;
static void *real[COUNT];
static struct { byte version[2]; void *entries[COUNT]; } list;

/* What the shim must remember of a session between two calls. */
struct session {
  struct session *next;
  word handle, mechanism;
  const byte *order;
  uint32_t gcm;
  byte iv[16], *iv_target;
};
static struct session *sessions;
static word open_sessions;
static uint32_t known_plugs;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

#define TYPE1 word
#define TYPE2 TYPE1, word
#define TYPE3 TYPE2, word
#define TYPE4 TYPE3, word
#define TYPE5 TYPE4, word
#define TYPE6 TYPE5, word
#define TYPE8 TYPE6, word, word
#define PARAMS1 word a
#define PARAMS2 PARAMS1, word b
#define PARAMS3 PARAMS2, word c
#define PARAMS4 PARAMS3, word d
#define PARAMS5 PARAMS4, word e
#define PARAMS6 PARAMS5, word f
#define PARAMS8 PARAMS6, word g, word h
#define ARGS1 a
#define ARGS2 ARGS1, b
#define ARGS3 ARGS2, c
#define ARGS4 ARGS3, d
#define ARGS5 ARGS4, e
#define ARGS6 ARGS5, f
#define ARGS8 ARGS6, g, h
#define REAL(name, n) ((word (*)(TYPE##n))real[N_##name])

static void wait_us(uint32_t us) {
  nanosleep(&(struct timespec){us / 1000000, us % 1000000 * 1000l}, NULL);
}

static struct session *session_of(word handle) {
  pthread_mutex_lock(&lock);
  struct session *found = sessions;
  while (found && found->handle != handle) found = found->next;
  if (!found && (found = calloc(1, sizeof *found))) {
    found->handle = handle;
    found->next = sessions;
    sessions = found;
  }
  pthread_mutex_unlock(&lock);
  return found;
}

/* Nodes are kept, as other threads may look at them: a handle that comes again finds its own. */
static void forget_operations(void) {
  pthread_mutex_lock(&lock);
  for (struct session *s = sessions; s; s = s->next) s->mechanism = s->gcm = 0;
  open_sessions = 0;
  pthread_mutex_unlock(&lock);
}

/* A token that was away has forgotten who was logged in, and its sessions. */
static void plug_in(void) {
  pthread_mutex_lock(&lock);
  const uint32_t plugs = page->plugs;
  const int is_new = plugs != known_plugs;
  known_plugs = plugs;
  pthread_mutex_unlock(&lock);
  if (!is_new) return;
  word slots[64], count = 64;
  if (REAL(C_GetSlotList, 3)(1, (word)slots, (word)&count) != OK) return;
  for (word i = 0; i < count; i++) REAL(C_CloseAllSessions, 1)(slots[i]);
  forget_operations();
}

static int is_without_token(int number) {
  return number == N_C_Initialize || number == N_C_Finalize || number == N_C_GetInfo ||
    number == N_C_GetFunctionList || number == N_C_GetSlotList || number == N_C_GetSlotInfo;
}

static int needs_slot_only(int number) {
  return number == N_C_GetTokenInfo || number == N_C_GetMechanismList ||
    number == N_C_GetMechanismInfo || number == N_C_InitToken || number == N_C_OpenSession ||
    number == N_C_CloseAllSessions;
}

static int strikes(struct fault *fault) {
  uint32_t left = __atomic_load_n(&fault->n, __ATOMIC_ACQUIRE);
  switch (__atomic_load_n(&fault->mode, __ATOMIC_ACQUIRE)) {
    case NEXT:
      while (left > 0)
        if (__atomic_compare_exchange_n(&fault->n, &left, left - 1, 0, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE))
          return 1;
      return 0;
    case EVERY: return left > 0 && __atomic_add_fetch(&fault->seen, 1, __ATOMIC_ACQ_REL) % left == 0;
    case ALWAYS: return 1;
    default: return 0;
  }
}

static void crash(void) {
  signal(SIGSEGV, SIG_DFL);
  raise(SIGSEGV);
}

/* Whether the call ends here, with *rv. What is to happen after the call is left in *after. */
static int is_stopped(int number, word *rv, struct fault **after) {
  struct fault *fault = &page->faults[number];
  __atomic_add_fetch(&fault->calls, 1, __ATOMIC_ACQ_REL);
  if (fault->latency_us > 0) wait_us(fault->latency_us);
  if (page->unplugged && !is_without_token(number)) {
    *rv = needs_slot_only(number) ? TOKEN_NOT_PRESENT : page->removed_rv;
    return 1;
  }
  if (!page->unplugged && !is_without_token(number)) plug_in();
  if (strikes(fault)) switch (fault->action) {
    case INSTEAD: *rv = fault->rv; return 1;
    case CRASH: crash(); break;
    case HANG: while (fault->mode != NEVER && fault->action == HANG) wait_us(1000); break;
    default: *after = fault;
  }
  if (real[number]) return 0;
  *rv = NOT_SUPPORTED;
  return 1;
}

static word finish(word rv, const struct fault *after) {
  if (!after) return rv;
  if (after->action == CRASH_AFTERWARDS) crash();
  return after->rv;
}

static word own_C_Initialize(word args) {
  known_plugs = page->plugs;
  return REAL(C_Initialize, 1)(args);
}

static word own_C_Finalize(word reserved) {
  forget_operations();
  return REAL(C_Finalize, 1)(reserved);
}

static word own_C_GetSlotList(word present, word slots, word count) {
  if (!page->unplugged || !(byte)present) return REAL(C_GetSlotList, 3)(present, slots, count);
  *(word *)count = 0;
  return OK;
}

static word own_C_GetSlotInfo(word slot, word info) {
  const word rv = REAL(C_GetSlotInfo, 2)(slot, info);
  if (rv == OK && page->unplugged) ((struct slot_info *)info)->flags &= ~(word)CKF_TOKEN_PRESENT;
  return rv;
}

static word own_C_OpenSession(word slot, word flags, word context, word notify, word handle) {
  pthread_mutex_lock(&lock);
  const int is_full = page->session_cap > 0 && open_sessions >= page->session_cap;
  if (!is_full) open_sessions++;
  pthread_mutex_unlock(&lock);
  if (is_full) return SESSION_COUNT;
  const word rv = REAL(C_OpenSession, 5)(slot, flags, context, notify, handle);
  if (rv != OK) {
    pthread_mutex_lock(&lock);
    if (open_sessions > 0) open_sessions--;
    pthread_mutex_unlock(&lock);
  }
  return rv;
}

static word own_C_CloseSession(word session) {
  const word rv = REAL(C_CloseSession, 1)(session);
  pthread_mutex_lock(&lock);
  if (rv == OK && open_sessions > 0) open_sessions--;
  pthread_mutex_unlock(&lock);
  return rv;
}

static word own_C_CloseAllSessions(word slot) {
  const word rv = REAL(C_CloseAllSessions, 1)(slot);
  if (rv == OK) forget_operations();
  return rv;
}

static word own_C_GetAttributeValue(word session, word object, word template, word count) {
  struct attribute *asked = (struct attribute *)template, copy[64];
  byte point[256], reshaped[256];
  if (count > 64) return GENERAL_ERROR;
  memcpy(copy, asked, count * sizeof *copy);
  for (word i = 0; i < count; i++)
    if (copy[i].type == CKA_EC_POINT && page->point != POINT_PLAIN)
      copy[i].value = point, copy[i].length = sizeof point;
  word rv = REAL(C_GetAttributeValue, 4)(session, object, (word)copy, count);
  for (word i = 0; i < count; i++) {
    const word room = asked[i].length, length = copy[i].length;
    asked[i].length = length;
    if (length == UNAVAILABLE) continue;
    if (copy[i].value == point) {
      asked[i].length = reshape_point(point, length, page->point == POINT_DER, reshaped);
      if (asked[i].value && asked[i].length <= room) memcpy(asked[i].value, reshaped, asked[i].length);
      else if (asked[i].value) asked[i].length = UNAVAILABLE, rv = BUFFER_TOO_SMALL;
    }
    for (int o = 0; o < 8; o++)
      if (page->overrides[o].is_active && page->overrides[o].type == asked[i].type && asked[i].value && length == 1)
        *asked[i].value = (byte)page->overrides[o].value;
  }
  return rv;
}

static word own_C_EncryptInit(word session, word mechanism, word key) {
  const struct mechanism *given = (const struct mechanism *)mechanism;
  struct session *state = session_of(session);
  if (!state) return GENERAL_ERROR;
  state->gcm = GCM_PLAIN;
  if (!given || given->type != CKM_AES_GCM || page->gcm == GCM_PLAIN)
    return REAL(C_EncryptInit, 3)(session, mechanism, key);
  if (given->length != sizeof(struct gcm)) return PARAM_INVALID;
  struct gcm params = *(const struct gcm *)given->parameter;
  const int writes = page->gcm == GCM_WRITES_IV;
  static const byte zero[12];
  if (writes && (!params.iv || params.iv_length != 12 || memcmp(params.iv, zero, 12) != 0)) return PARAM_INVALID;
  const word length = writes ? 12 : 16;
  word rv = REAL(C_GenerateRandom, 3)(session, (word)state->iv, length);
  if (rv != OK) return rv;
  state->iv_target = params.iv;
  params.iv = state->iv, params.iv_length = length, params.iv_bits = length * 8;
  const struct mechanism ours = {CKM_AES_GCM, &params, sizeof params};
  rv = REAL(C_EncryptInit, 3)(session, (word)&ours, key);
  if (rv == OK) state->gcm = page->gcm;
  return rv;
}

/* Ends the operation that the real module has active. */
static word abandon_encryption(word session, word rv) {
  byte sink[64];
  word room = sizeof sink;
  REAL(C_Encrypt, 5)(session, (word)sink, 0, (word)sink, (word)&room);
  return rv;
}

static word own_C_Encrypt(word session, word data, word length, word out, word out_length) {
  struct session *state = session_of(session);
  if (!state) return GENERAL_ERROR;
  word *room = (word *)out_length;
  const uint32_t gcm = state->gcm;
  const word needed = length + 32;
  if (gcm == GCM_WRITES_IV && length > 16384) return state->gcm = 0, abandon_encryption(session, DATA_LEN_RANGE);
  if (gcm == GCM_APPENDS_IV && (!out || *room < needed)) {
    *room = needed;
    return out ? BUFFER_TOO_SMALL : OK;
  }
  const word rv = REAL(C_Encrypt, 5)(session, data, length, out, out_length);
  if (gcm == GCM_PLAIN || !out || rv == BUFFER_TOO_SMALL) return rv;
  state->gcm = GCM_PLAIN;
  if (rv != OK) return rv;
  if (gcm == GCM_WRITES_IV) memcpy(state->iv_target, state->iv, 12);
  else memcpy((byte *)out + *room, state->iv, 16), *room += 16;
  return rv;
}

static const byte *order_of(word session, word key) {
  byte value[64];
  struct attribute params = {CKA_EC_PARAMS, value, sizeof value};
  if (REAL(C_GetAttributeValue, 4)(session, key, (word)&params, 1) != OK) return NULL;
  if (params.length == sizeof P256 && memcmp(value, P256, sizeof P256) == 0) return P256_ORDER;
  if (params.length == sizeof K256 && memcmp(value, K256, sizeof K256) == 0) return K256_ORDER;
  return NULL;
}

static int is_ecdsa(word mechanism) { return mechanism >= CKM_ECDSA && mechanism <= CKM_ECDSA_SHA512; }

static word own_C_SignInit(word session, word mechanism, word key) {
  struct session *state = session_of(session);
  if (!state) return GENERAL_ERROR;
  const word rv = REAL(C_SignInit, 3)(session, mechanism, key);
  state->mechanism = rv == OK ? ((const struct mechanism *)mechanism)->type : 0;
  const int is_asked = (page->signature & HIGH_S) && is_ecdsa(state->mechanism);
  state->order = is_asked ? order_of(session, key) : NULL;
  return rv;
}

static int spoils(void) {
  uint32_t left = __atomic_load_n(&page->spoil, __ATOMIC_ACQUIRE);
  while (left > 0)
    if (__atomic_compare_exchange_n(&page->spoil, &left, left - 1, 0, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE))
      return 1;
  return 0;
}

static word own_C_Sign(word session, word data, word length, word out, word out_length) {
  struct session *state = session_of(session);
  if (!state) return GENERAL_ERROR;
  word *room = (word *)out_length;
  const int is_der = (page->signature & DER) && is_ecdsa(state->mechanism);
  if (!is_ecdsa(state->mechanism) && state->mechanism != CKM_EDDSA)
    return REAL(C_Sign, 5)(session, data, length, out, out_length);
  if (is_der && (!out || *room < 104)) {
    *room = 104;
    return out ? BUFFER_TOO_SMALL : OK;
  }
  const word rv = REAL(C_Sign, 5)(session, data, length, out, out_length);
  if (rv != OK || !out) return rv;
  byte *signature = (byte *)out;
  if (state->order && *room == 64) raise_s(signature + 32, state->order);
  if (spoils()) signature[*room - 1] ^= 1;
  if (is_der && *room <= 96) {
    byte raw[96];
    memcpy(raw, signature, *room);
    *room = to_der(signature, raw, *room);
  }
  return rv;
}

#define ENTRY(name, n, target) \
  static word name##_entry(PARAMS##n) { \
    word rv; \
    struct fault *after = NULL; \
    return is_stopped(N_##name, &rv, &after) ? rv : finish(target(ARGS##n), after); \
  }
#define PASS_ENTRY(name, n) ENTRY(name, n, REAL(name, n))
#define OWN_ENTRY(name, n) ENTRY(name, n, own_##name)
FUNCTIONS(PASS_ENTRY, OWN_ENTRY)

static void load(void) {
  const char *module = getenv("QUORATE_SHIM_MODULE"), *control = getenv("QUORATE_SHIM_CONTROL");
  void *library = module ? dlopen(module, RTLD_NOW | RTLD_LOCAL | RTLD_DEEPBIND) : NULL;
  word (*get_list)(void *) = library ? (word (*)(void *))dlsym(library, "C_GetFunctionList") : NULL;
  struct { byte version[2]; void *entries[COUNT]; } *theirs = NULL;
  if (!get_list || get_list(&theirs) != OK || !theirs) return;
  memcpy(real, theirs->entries, sizeof real);
  memcpy(list.version, theirs->version, sizeof list.version);
  const int file = control ? open(control, O_RDWR | O_CLOEXEC) : -1;
  if (file >= 0) {
    void *mapped = mmap(NULL, sizeof *page, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    if (mapped != MAP_FAILED) page = mapped;
    close(file);
  }
#define ADD_ENTRY(name, n) list.entries[N_##name] = (void *)name##_entry;
  FUNCTIONS(ADD_ENTRY, ADD_ENTRY)
}

__attribute__((visibility("default"))) word C_GetFunctionList(void **out) {
  static pthread_once_t once = PTHREAD_ONCE_INIT;
  pthread_once(&once, load);
  if (!list.entries[0]) return GENERAL_ERROR;
  list.entries[N_C_GetFunctionList] = (void *)C_GetFunctionList;
  *out = &list;
  return OK;
}
