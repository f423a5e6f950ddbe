export {
  DER,
  type DerElement,
  DerReader,
  der,
  derBitString,
  derExplicit,
  derOctetString,
  derOid,
  derSequence,
  derTime,
  derTrue,
  derUnsigned,
  derUtf8String,
} from './der.ts'
export {
  certificatePublicKey,
  ed25519Spki,
  type SelfSignedLeaf,
  selfSignedLeaf,
} from './x509/self-signed.ts'
