/** One row for each route: how to make a request to it that would succeed, in a given project. */
import type { Action } from '#src/domains/access/actions.js'
import type { TestServer } from './harness.js'

export type Sample = {
  readonly params?: { readonly [name: string]: string }
  readonly query?: string
  readonly body?: unknown
}

export type World = {
  readonly server: TestServer
  readonly admin: string
  readonly project: string
  /** A name that nothing has yet. */
  fresh(prefix?: string): string
  /** What the administrator gets from a call that has to succeed. */
  // biome-ignore lint/suspicious/noExplicitAny: any JSON
  done(method: string, path: string, body?: unknown): Promise<any>
}

export type Row = {
  /** What the handler asks for besides the route's own permission. */
  readonly also?: readonly Action[]
  /** Nothing works after it. */
  readonly isLast?: true
  request(world: World): Sample | Promise<Sample>
}

const limits = { ttlSeconds: 60, maxTtlSeconds: 60, maxUses: 0, addresses: [] }
const rules = [{ effect: 'allow', actions: ['operation.read'] }]

const newIdentity = ({ done, fresh, project }: World) =>
  done('POST', '/api/v1/identities', { kind: 'machine', name: fresh(), project })
const newGroup = ({ done, fresh, project }: World) =>
  done('POST', '/api/v1/groups', { name: fresh(), project })
const newRole = ({ done, fresh, project }: World) =>
  done('POST', '/api/v1/roles', { project, name: fresh(), rules })
const policyBody = (approver: string) => ({
  roles: ['no-access'],
  approvers: [approver],
  required: 1,
  bypassers: [],
  maxDurationSeconds: 60,
  requestSeconds: 60,
  allowsSelfApproval: false,
})
async function newPolicy(world: World) {
  const { id } = await newIdentity(world)
  const { done, fresh, project } = world
  return done('POST', '/api/v1/approval-policies', { name: fresh(), project, ...policyBody(id) })
}
async function newRequest(world: World) {
  const policy = await newPolicy(world)
  return world.done('POST', '/api/v1/access-requests', {
    policy: policy.id,
    role: 'no-access',
    durationSeconds: 60,
    reason: 'test',
  })
}
const newFolder = ({ done, fresh, project }: World) =>
  done('POST', `/api/v1/projects/${project}/environments/development/folders`, {
    path: `/${fresh()}`,
  })
async function newSecret(world: World) {
  const { done, fresh, project } = world
  const secretName = fresh('S_')
  const made = await done('POST', '/api/v1/secrets', {
    project,
    environment: 'development',
    path: '/',
    secretName,
    secretValue: 'one',
  })
  return { ...made, secretName }
}
async function changedSecret(world: World) {
  const secret = await newSecret(world)
  await world.done('PATCH', `/api/v1/secrets/${secret.id}`, { secretValue: 'two' })
  return secret
}
const newEnvironment = async ({ done, fresh, project }: World) => {
  const slug = fresh('e')
  await done('POST', `/api/v1/projects/${project}/environments`, { slug })
  return slug
}
const wallet = {
  wallet: 'wal_01hgw2bbg00000000000000001',
  node: 'nod_01hgw2bbg00000000000000001',
}
let generation = 0
async function newBackup({ server, admin, project }: World) {
  const params = {
    project,
    environment: 'development',
    ...wallet,
    generation: String(++generation),
  }
  const path = `/api/v1/projects/${project}/environments/development/share-backups/${wallet.wallet}/${wallet.node}/${generation}`
  await server.call('PUT', path, { token: admin, body: { backup: 'AAAA' } })
  return { params }
}

async function newFile({ server, admin, project, fresh }: World) {
  const params = { project, environment: 'development', node: wallet.node, file: fresh('f') }
  const path = `/api/v1/projects/${project}/environments/development/node-backups/${params.node}/${params.file}`
  await server.call('PUT', path, { token: admin, body: { backup: 'AAAA' } })
  return { params }
}

const quorum = { groupThreshold: 1, groups: [{ threshold: 2, members: 3 }] }

const inEnvironment = ({ project }: World) => ({ project, environment: 'development' })
const none: Row = { request: () => ({}) }
const listed: Row = { request: ({ project }) => ({ query: `project=${project}` }) }
const ofIdentity = (body?: unknown): Row => ({
  request: async (world) => ({ params: { id: (await newIdentity(world)).id }, body }),
})
const settings = {
  universal: { limits },
  kubernetes: {
    limits,
    mode: 'review',
    issuer: 'x',
    audience: 'x',
    namespaces: ['x'],
    serviceAccounts: ['x'],
    apiUrl: 'http://127.0.0.1:1',
  },
  jwt: {
    limits,
    keys: 'url',
    jwksUrl: 'https://k.example/keys',
    issuer: 'x',
    audiences: ['x'],
    claims: {},
    algorithms: ['ES256'],
    clockSkewSeconds: 0,
  },
}

export const ROWS: { readonly [operationId: string]: Row } = {
  openApi: none,
  listActions: none,
  explainOwnAccess: { request: () => ({ body: { action: 'secret.read' } }) },
  testPolicy: {
    request: () => ({
      body: { cases: [{ name: 'x', roles: [], action: 'secret.read', expect: 'deny' }] },
    }),
  },
  explainAccess: {
    request: async (world) => ({
      params: { id: (await newIdentity(world)).id },
      body: { action: 'secret.read', project: world.project },
    }),
  },
  backup: { request: ({ fresh }) => ({ body: { name: fresh() } }) },
  listRoles: listed,
  createRole: { request: ({ project, fresh }) => ({ body: { project, name: fresh(), rules } }) },
  getRole: { request: async (world) => ({ params: { id: (await newRole(world)).id } }) },
  updateRole: {
    request: async (world) => ({
      params: { id: (await newRole(world)).id },
      body: { description: 'x' },
    }),
  },
  deleteRole: { request: async (world) => ({ params: { id: (await newRole(world)).id } }) },
  getSelf: none,
  listIdentities: listed,
  createIdentity: {
    request: ({ project, fresh }) => ({ body: { kind: 'machine', name: fresh(), project } }),
  },
  getIdentity: ofIdentity(),
  updateIdentity: ofIdentity({ isActive: false }),
  deleteIdentity: ofIdentity(),
  addApproverKey: ofIdentity({ name: 'x', publicKey: '22'.repeat(32) }),
  removeApproverKey: {
    request: async (world) => {
      const { id } = await newIdentity(world)
      const key = await world.done('POST', `/api/v1/identities/${id}/approver-keys`, {
        name: 'x',
        publicKey: '22'.repeat(32),
      })
      return { params: { id, keyId: key.id } }
    },
  },
  listGroups: listed,
  createGroup: { request: ({ project, fresh }) => ({ body: { project, name: fresh() } }) },
  getGroup: { request: async (world) => ({ params: { id: (await newGroup(world)).id } }) },
  deleteGroup: { request: async (world) => ({ params: { id: (await newGroup(world)).id } }) },
  grantToIdentity: {
    request: async (world) => ({
      params: { id: (await newIdentity(world)).id },
      body: { project: world.project, rules },
    }),
  },
  takeFromIdentity: {
    request: async (world) => {
      const { id } = await newIdentity(world)
      const grant = await world.done('POST', `/api/v1/identities/${id}/grants`, {
        project: world.project,
        rules,
      })
      return { params: { id, grantId: grant.id } }
    },
  },
  grantToGroup: {
    request: async (world) => ({
      params: { id: (await newGroup(world)).id },
      body: { project: world.project, rules },
    }),
  },
  takeFromGroup: {
    request: async (world) => {
      const { id } = await newGroup(world)
      const grant = await world.done('POST', `/api/v1/groups/${id}/grants`, {
        project: world.project,
        rules,
      })
      return { params: { id, grantId: grant.id } }
    },
  },
  getUniversalSettings: ofIdentity(),
  setUniversalSettings: ofIdentity(settings.universal),
  removeUniversalSettings: ofIdentity(),
  getKubernetesSettings: ofIdentity(),
  setKubernetesSettings: ofIdentity(settings.kubernetes),
  removeKubernetesSettings: ofIdentity(),
  getJwtSettings: ofIdentity(),
  setJwtSettings: ofIdentity(settings.jwt),
  removeJwtSettings: ofIdentity(),
  getTlsSettings: ofIdentity(),
  setTlsSettings: ofIdentity({ limits, caCertificates: 'x', revokedSerials: [] }),
  removeTlsSettings: ofIdentity(),
  createClientSecret: ofIdentity({}),
  listClientSecrets: ofIdentity(),
  removeClientSecret: {
    request: async (world) => {
      const { id } = await newIdentity(world)
      const made = await world.done('POST', `/api/v1/identities/${id}/client-secrets`, {})
      return { params: { id, secretId: made.secret.id } }
    },
  },
  rotateOwnSecret: { request: () => ({ body: { clientSecret: 'x' } }) },
  issueToken: ofIdentity({ name: 'x' }),
  listTokens: ofIdentity(),
  getOwnToken: none,
  revokeToken: {
    request: async (world) => {
      const { id } = await newIdentity(world)
      const made = await world.done('POST', `/api/v1/identities/${id}/tokens`, { name: 'x' })
      return { params: { id: made.token.id } }
    },
  },
  renewOwnToken: none,
  revokeOwnToken: none,
  lookAtDevice: { request: () => ({ body: { userCode: 'BCDFGHJK' } }) },
  approveDevice: { request: () => ({ body: { userCode: 'BCDFGHJK' } }) },
  listApprovalPolicies: listed,
  createApprovalPolicy: {
    request: async (world) => ({
      body: {
        name: world.fresh(),
        project: world.project,
        ...policyBody((await newIdentity(world)).id),
      },
    }),
  },
  updateApprovalPolicy: {
    request: async (world) => ({
      params: { id: (await newPolicy(world)).id },
      body: policyBody((await newIdentity(world)).id),
    }),
  },
  deleteApprovalPolicy: {
    request: async (world) => ({ params: { id: (await newPolicy(world)).id } }),
  },
  listAccessRequests: listed,
  createAccessRequest: {
    request: async (world) => ({
      body: {
        policy: (await newPolicy(world)).id,
        role: 'no-access',
        durationSeconds: 60,
        reason: 'test',
      },
    }),
  },
  getAccessRequest: {
    request: async (world) => ({ params: { id: (await newRequest(world)).id } }),
  },
  decideAccessRequest: {
    request: async (world) => ({
      params: { id: (await newRequest(world)).id },
      body: {
        decision: 'deny',
        publicKey: '22'.repeat(32),
        expiresAt: '2026-03-04T12:00:01.000Z',
        signature: '0'.repeat(128),
      },
    }),
  },
  bypassAccessRequest: {
    request: async (world) => ({ params: { id: (await newRequest(world)).id } }),
  },
  revokeAccessRequest: {
    request: async (world) => ({ params: { id: (await newRequest(world)).id } }),
  },

  status: none,
  listRecipients: none,
  addRecoveryQuorum: { request: () => ({ body: quorum }) },
  removeRecipient: {
    request: async ({ done }) => ({
      params: { recipient: (await done('POST', '/api/v1/sys/recipients', quorum)).recipient },
    }),
  },
  rotateInstanceKey: { request: () => ({ body: {} }) },
  rotateProjectKey: {
    request: async (world) => {
      await newSecret(world)
      return { params: { project: world.project }, body: {} }
    },
  },
  rotationProgress: none,
  listAudit: listed,
  exportAudit: none,
  verifyAudit: { request: () => ({ body: {} }) },
  newestCheckpoint: none,
  listAuditSegments: none,
  sealAuditSegment: { request: () => ({ body: {} }) },
  pruneAudit: { request: () => ({ body: { before: '2026-01-01T00:00:00.000Z' } }) },
  seal: { isLast: true, request: () => ({ body: {} }) },

  listProjects: none,
  createProject: { request: ({ fresh }) => ({ body: { name: fresh() } }) },
  readProject: { request: ({ project }) => ({ params: { project } }) },
  renameProject: {
    request: ({ project, fresh }) => ({ params: { project }, body: { name: fresh() } }),
  },
  listEnvironments: { request: ({ project }) => ({ params: { project } }) },
  createEnvironment: {
    request: ({ project, fresh }) => ({ params: { project }, body: { slug: fresh('e') } }),
  },
  changeEnvironment: {
    request: async (world) => ({
      params: { project: world.project, environment: await newEnvironment(world) },
      body: { name: 'x' },
    }),
  },
  deleteEnvironment: {
    request: async (world) => ({
      params: { project: world.project, environment: await newEnvironment(world) },
    }),
  },
  listFolders: { request: (world) => ({ params: inEnvironment(world) }) },
  createFolder: {
    request: (world) => ({ params: inEnvironment(world), body: { path: `/${world.fresh()}` } }),
  },
  renameFolder: {
    request: async (world) => ({
      params: { id: (await newFolder(world)).id },
      body: { name: world.fresh() },
    }),
  },
  setFolderImports: {
    request: async (world) => ({
      params: { id: (await newFolder(world)).id },
      body: { imports: [] },
    }),
  },
  readFolderSnapshot: {
    request: async (world) => ({
      params: { id: (await newFolder(world)).id },
      query: 'at=2026-03-04T12:00:00.000Z',
    }),
  },
  restoreFolder: {
    request: async (world) => ({
      params: { id: (await newFolder(world)).id },
      body: { at: '2026-03-04T12:00:00.000Z', dryRun: true },
    }),
  },
  deleteFolder: { request: async (world) => ({ params: { id: (await newFolder(world)).id } }) },
  createSecret: {
    request: ({ project, fresh }) => ({
      body: {
        project,
        environment: 'development',
        path: '/',
        secretName: fresh('S_'),
        secretValue: 'x',
      },
    }),
  },
  listSecrets: {
    request: ({ project }) => ({ query: `project=${project}&environment=development&path=/` }),
  },
  readSecret: { request: async (world) => ({ params: { id: (await newSecret(world)).id } }) },
  updateSecret: {
    request: async (world) => ({
      params: { id: (await newSecret(world)).id },
      body: { secretValue: 'y' },
    }),
  },
  deleteSecret: { request: async (world) => ({ params: { id: (await newSecret(world)).id } }) },
  createSecretAt: {
    request: (world) => ({
      params: inEnvironment(world),
      body: { secretName: world.fresh('S_'), secretValue: 'x' },
    }),
  },
  listSecretsAt: { request: (world) => ({ params: inEnvironment(world) }) },
  readSecretAt: {
    request: async (world) => ({
      params: { ...inEnvironment(world), name: (await newSecret(world)).secretName },
    }),
  },
  putSecretAt: {
    request: async (world) => ({
      params: { ...inEnvironment(world), name: (await newSecret(world)).secretName },
      body: { secretValue: 'y' },
    }),
  },
  deleteSecretAt: {
    request: async (world) => ({
      params: { ...inEnvironment(world), name: (await newSecret(world)).secretName },
    }),
  },
  listSecretVersions: {
    request: async (world) => ({ params: { id: (await newSecret(world)).id } }),
  },
  readSecretVersion: {
    request: async (world) => ({ params: { id: (await newSecret(world)).id, version: '1' } }),
  },
  diffSecretVersions: {
    request: async (world) => ({
      params: { id: (await changedSecret(world)).id },
      query: 'from=1&to=2',
    }),
  },
  rollbackSecret: {
    request: async (world) => ({
      params: { id: (await changedSecret(world)).id },
      body: { version: 1 },
    }),
  },
  undoSecretChange: {
    request: async (world) => ({ params: { id: (await changedSecret(world)).id }, body: {} }),
  },
  destroySecretVersions: {
    request: async (world) => ({
      params: { id: (await changedSecret(world)).id },
      body: { versions: [1] },
    }),
  },
  changeSecrets: {
    also: ['secret.create'],
    request: (world) => ({
      params: inEnvironment(world),
      body: { operations: [{ op: 'create', secretName: world.fresh('S_'), secretValue: 'x' }] },
    }),
  },
  importSecrets: {
    also: ['secret.create'],
    request: (world) => ({
      params: inEnvironment(world),
      body: { format: 'env', content: `${world.fresh('S_')}=x\n` },
    }),
  },
  exportSecrets: { request: (world) => ({ params: inEnvironment(world) }) },
  searchSecrets: { request: ({ project }) => ({ params: { project }, query: 'text=S_' }) },
  putShareBackup: {
    also: ['folder.create', 'secret.update'],
    request: async (world) => ({ ...(await newBackup(world)), body: { backup: 'AAAA' } }),
  },
  getShareBackup: { request: newBackup },
  destroyShareBackup: { request: newBackup },
  putNodeBackup: {
    also: ['folder.create', 'secret.update'],
    request: async (world) => ({ ...(await newFile(world)), body: { backup: 'AAAA' } }),
  },
  getNodeBackup: { request: newFile },
  destroyNodeBackup: { request: newFile },
}

/** Routes that serve without a token, each for a reason. */
export const PUBLIC: readonly string[] = [
  'health',
  'ready',
  'metrics',
  'unseal',
  'initialise',
  'logInWithUniversal',
  'logInWithKubernetes',
  'logInWithJwt',
  'logInWithTls',
  'beginDeviceSignIn',
  'collectDeviceToken',
]
