/** How a machine proves who it is: the settings of each method, as they stand in its identity. */
export type TokenLimits = {
  /** Of a token, in seconds; it can be renewed up to `maxTtlSeconds`. */
  readonly ttlSeconds: number
  readonly maxTtlSeconds: number
  /** How often a token may be used; 0 without a limit. */
  readonly maxUses: number
  /** Networks that sign-in and token are good from; everywhere where empty. */
  readonly addresses: readonly string[]
}

export type UniversalSettings = { readonly limits: TokenLimits }

export type KubernetesSettings = {
  readonly limits: TokenLimits
  /** `jwks` verifies tokens here with the keys of the cluster, `review` asks the cluster's TokenReview. */
  readonly mode: 'jwks' | 'review'
  readonly issuer: string
  readonly audience: string
  /** Patterns; both must hold. */
  readonly namespaces: readonly string[]
  readonly serviceAccounts: readonly string[]
  /** Of `jwks`: where the keys are, or the keys themselves as JSON. */
  readonly jwksUrl?: string | undefined
  readonly jwks?: string | undefined
  /** Of `review`: the API server. */
  readonly apiUrl?: string | undefined
  /** PEM. Needed wherever TLS is used: no other authority is believed. */
  readonly caCertificate?: string | undefined
}

export type JwtSettings = {
  readonly limits: TokenLimits
  /** `oidc` finds the keys by discovery at the issuer. */
  readonly keys: 'oidc' | 'url' | 'static'
  readonly issuer: string
  readonly audiences: readonly string[]
  /** A pattern. */
  readonly subject?: string | undefined
  /** Dotted names of claims and the patterns of which one must match. */
  readonly claims: { readonly [name: string]: readonly string[] }
  readonly algorithms: readonly string[]
  readonly clockSkewSeconds: number
  readonly jwksUrl?: string | undefined
  readonly jwks?: string | undefined
  /** PEM; the system's authorities where absent. */
  readonly caCertificate?: string | undefined
}

export type TlsSettings = {
  readonly limits: TokenLimits
  /** PEM of the authorities that may issue the client's certificate. */
  readonly caCertificates: string
  /** Patterns. Each that is given must match one value of the certificate. */
  readonly commonNames?: readonly string[] | undefined
  readonly dnsNames?: readonly string[] | undefined
  readonly uris?: readonly string[] | undefined
  readonly organizationalUnits?: readonly string[] | undefined
  /** Serial numbers that are refused, hex as the certificate shows them. */
  readonly revokedSerials: readonly string[]
}

export type MethodSettings = {
  readonly universal?: UniversalSettings | undefined
  readonly kubernetes?: KubernetesSettings | undefined
  readonly jwt?: JwtSettings | undefined
  readonly tls?: TlsSettings | undefined
}
export type MethodName = keyof MethodSettings
export const METHOD_NAMES: readonly MethodName[] = ['universal', 'kubernetes', 'jwt', 'tls']
