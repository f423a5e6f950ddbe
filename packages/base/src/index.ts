export type { Branded } from './brand.ts'
export {
  compareBytes,
  concatBytes,
  equalBytes,
  fromBase64,
  fromBase64url,
  fromHex,
  toBase64,
  toBase64url,
  toHex,
} from './bytes.ts'
export { type Cbor, type CborLimits, decodeCbor, encodeCbor } from './cbor.ts'
export {
  array,
  bool,
  bytes,
  type Codec,
  type CodecType,
  decode,
  encode,
  field,
  int,
  mapped,
  nullable,
  oneOf,
  optional,
  type RecordOf,
  record,
  shortHex,
  text,
  type UnionOf,
  uint64,
  union,
} from './codec.ts'
export { editDistance } from './edit-distance.ts'
export { ERRORS, type ErrorClass, type ErrorEntry, type FaultCode } from './errors/table.ts'
export { bug, Fault, type FaultOptions, isFault, isFaultCode } from './fault.ts'
export { ID_PREFIXES, type Id, type IdPrefix, idFrom, isId, isName, newId, parseId } from './ids.ts'
export type {
  AuditSink,
  Clock,
  LogFields,
  Logger,
  LogLevel,
  Meter,
  MonotonicCounter,
  Random,
  Sealer,
  Signer,
} from './ports.ts'
export { Secret, wipe } from './secret.ts'
export { TAGS, type Tag, tagged, taggedHash } from './tags.ts'
export { fromUtf8, utf8 } from './text.ts'
