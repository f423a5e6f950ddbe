/** What errors of the AWS clients mean. Names are those of the API references of KMS and CloudWatch Logs. */
import type { FailureKind } from '../failure.ts'

const KINDS: { readonly [name: string]: FailureKind } = {
  ThrottlingException: 'busy',
  Throttling: 'busy',
  TooManyRequestsException: 'busy',
  RequestLimitExceeded: 'busy',
  KMSInternalException: 'unavailable',
  DependencyTimeoutException: 'unavailable',
  KeyUnavailableException: 'unavailable',
  InternalFailure: 'unavailable',
  ServiceUnavailable: 'unavailable',
  ServiceUnavailableException: 'unavailable',
  OperationAbortedException: 'unavailable',
  CloudHsmClusterNotActiveException: 'unavailable',
  CustomKeyStoreInvalidStateException: 'unavailable',
  CredentialsProviderError: 'no-credentials',
  ProviderError: 'no-credentials',
  TokenProviderError: 'no-credentials',
  AccessDeniedException: 'denied',
  UnrecognizedClientException: 'denied',
  InvalidClientTokenId: 'denied',
  InvalidSignatureException: 'denied',
  IncompleteSignature: 'denied',
  MissingAuthenticationToken: 'denied',
  ExpiredTokenException: 'denied',
  OptInRequired: 'denied',
  DisabledException: 'disabled',
  // Of a key that is disabled, or being made; those being destroyed are known by their state.
  KMSInvalidStateException: 'disabled',
  NotFoundException: 'absent',
  ResourceNotFoundException: 'absent',
  AlreadyExistsException: 'exists',
  ResourceAlreadyExistsException: 'exists',
  UnsupportedOperationException: 'unsupported',
  LimitExceededException: 'full',
  InvalidCiphertextException: 'cannot-open',
  // A ciphertext names the key that made it.
  IncorrectKeyException: 'cannot-open',
  InvalidKeyUsageException: 'rejected',
  InvalidArnException: 'rejected',
  MalformedPolicyDocumentException: 'rejected',
  TagException: 'rejected',
  ValidationException: 'rejected',
}

type AwsError = {
  readonly name?: unknown
  readonly $metadata?: { readonly httpStatusCode?: unknown }
}

/** The kind of `error`; an unknown one goes by its HTTP status, and without any by the silence of the service. */
export function awsFailure(error: unknown): FailureKind {
  const { name, $metadata } = (error ?? {}) as AwsError
  if (typeof name === 'string' && Object.hasOwn(KINDS, name)) return KINDS[name] as FailureKind
  const status = $metadata?.httpStatusCode
  if (status === 429) return 'busy'
  if (status === 401 || status === 403) return 'denied'
  if (typeof status === 'number' && status >= 400 && status < 500) return 'rejected'
  return 'unavailable'
}
