/* Other forms of curve points and signatures. */
#include <string.h>

typedef unsigned long word;
typedef unsigned char byte;

/* The content of an OCTET STRING, or the bytes themselves. Curve points are never longer than its short form. */
static word point_in(const byte *bytes, word length, const byte **point) {
  const int is_der = length > 2 && bytes[0] == 4 && bytes[1] == length - 2 &&
    (length == 34 || (bytes[2] >= 2 && bytes[2] <= 4));
  *point = is_der ? bytes + 2 : bytes;
  return is_der ? length - 2 : length;
}

/* The point raw, or in an OCTET STRING. Returns its length. */
static word reshape_point(const byte *bytes, word length, int as_der, byte *to) {
  const byte *point;
  const word size = point_in(bytes, length, &point);
  const word header = as_der ? 2 : 0;
  if (header) to[0] = 4, to[1] = (byte)size;
  memcpy(to + header, point, size);
  return size + header;
}

static const byte P256[] = {6, 8, 0x2a, 0x86, 0x48, 0xce, 0x3d, 3, 1, 7};
static const byte P256_ORDER[32] = {
  0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
  0xbc, 0xe6, 0xfa, 0xad, 0xa7, 0x17, 0x9e, 0x84, 0xf3, 0xb9, 0xca, 0xc2, 0xfc, 0x63, 0x25, 0x51};
static const byte K256[] = {6, 5, 0x2b, 0x81, 4, 0, 0x0a};
static const byte K256_ORDER[32] = {
  0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xfe,
  0xba, 0xae, 0xdc, 0xe6, 0xaf, 0x48, 0xa0, 0x3b, 0xbf, 0xd2, 0x5e, 0x8c, 0xd0, 0x36, 0x41, 0x41};

/* s becomes n - s, where that is the greater one. Both are 32 bytes, most significant first. */
static void raise_s(byte *s, const byte *order) {
  byte other[32];
  int borrow = 0;
  for (int i = 31; i >= 0; i--) {
    const int difference = order[i] - s[i] - borrow;
    borrow = difference < 0;
    other[i] = (byte)difference;
  }
  if (memcmp(other, s, 32) > 0) memcpy(s, other, 32);
}

static word put_integer(byte *to, const byte *number, word length) {
  while (length > 1 && *number == 0) number++, length--;
  const int sign = *number >> 7;
  to[0] = 2, to[1] = (byte)(length + sign), to[2] = 0;
  memcpy(to + 2 + sign, number, length);
  return 2 + sign + length;
}

/* r || s, each at most 48 bytes, as SEQUENCE { INTEGER, INTEGER }. */
static word to_der(byte *to, const byte *raw, word length) {
  word end = 2;
  end += put_integer(to + end, raw, length / 2);
  end += put_integer(to + end, raw + length / 2, length / 2);
  to[0] = 0x30, to[1] = (byte)(end - 2);
  return end;
}
