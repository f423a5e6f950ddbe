/*
 * A PKCS#11 module that forwards to MODULE and takes LATENCY_US longer for each C_Sign, as an HSM does that is
 * reached over a network. The caller's thread waits; other threads do not.
 */
#include <dlfcn.h>
#include <string.h>
#include <unistd.h>

/* CK_FUNCTION_LIST: the version, then 68 functions in the order of PKCS#11 2.40, §5. */
enum { C_GetFunctionList_AT = 3, C_Sign_AT = 43, FUNCTIONS = 68 };
struct list { unsigned char version[2]; void *functions[FUNCTIONS]; };
typedef unsigned long word;
typedef word (*sign)(word, void *, word, void *, word *);

static struct list list;
static sign real_sign;

static word slow_sign(word session, void *data, word length, void *signature, word *signature_length)
{
  usleep(LATENCY_US);
  return real_sign(session, data, length, signature, signature_length);
}

word C_GetFunctionList(struct list **out)
{
  void *module = dlopen(MODULE, RTLD_NOW | RTLD_LOCAL);
  if (module == NULL) return 5; /* CKR_GENERAL_ERROR */
  word (*get)(struct list **) = (word (*)(struct list **))dlsym(module, "C_GetFunctionList");
  struct list *real;
  word rv = get(&real);
  if (rv != 0) return rv;
  memcpy(&list, real, sizeof list);
  real_sign = (sign)real->functions[C_Sign_AT];
  list.functions[C_Sign_AT] = (void *)slow_sign;
  list.functions[C_GetFunctionList_AT] = (void *)C_GetFunctionList;
  *out = &list;
  return 0;
}
