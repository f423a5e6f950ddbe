/** Projects, folders, secrets, search and share backups: everything of theirs that the server takes in. */
import type { KmsContext, KmsModule } from '../../context.ts'
import type { Access } from '../access/port.ts'
import { backupRoutes } from '../backups/routes.ts'
import { FolderHandlers } from '../folders/handlers.ts'
import { folderRoutes } from '../folders/routes.ts'
import { FolderService } from '../folders/service.ts'
import { FOLDER_SEALED, FolderStore } from '../folders/store.ts'
import { projectRoutes } from '../projects/routes.ts'
import { ProjectService } from '../projects/service.ts'
import { PROJECT_SEALED } from '../projects/store.ts'
import { searchRoutes } from '../search/routes.ts'
import { Search } from '../search/service.ts'
import { Batches } from './batch.ts'
import { batchRoutes } from './batch-routes.ts'
import { SecretHandlers } from './handlers.ts'
import { SecretHistory } from './history.ts'
import { historyRoutes } from './history-routes.ts'
import { Moves } from './moves.ts'
import { SecretReading } from './reading.ts'
import { Recovery } from './recovery.ts'
import { recoveryRoutes } from './recovery-routes.ts'
import { REQUEST_SEALED, Requests } from './requests.ts'
import { placedSecretRoutes, secretRoutes } from './routes.ts'
import { SECRET_SEALED } from './sealed-tables.ts'
import { SecretService } from './service.ts'

export type SecretsModule = KmsModule & {
  readonly projects: ProjectService
  readonly folders: FolderService
  readonly secrets: SecretService
  readonly reading: SecretReading
}

/** The module, made once for each server. */
export function secretsModule(context: KmsContext, access: Access): SecretsModule {
  const folders = new FolderService(context)
  const projects = new ProjectService(context, folders)
  const secrets = new SecretService(context, folders)
  const reading = new SecretReading(access, folders, secrets)
  const history = new SecretHistory(secrets)
  const requests = new Requests(context)
  const moves = new Moves(access, folders, secrets)
  const parts = { context, access, folders, secrets, reading, requests, moves }
  const handlers = new SecretHandlers(parts)
  const folderHandlers = new FolderHandlers(access, folders, new FolderStore(context.sql), moves)
  const batches = new Batches(access, folders, secrets, reading, moves)
  const recovery = new Recovery(context, access, folders, secrets, moves)
  return {
    projects,
    folders,
    secrets,
    reading,
    routes: [
      ...projectRoutes(projects, access, secrets.store, moves, context),
      ...folderRoutes(folderHandlers, context),
      ...recoveryRoutes(folderHandlers, recovery, parts),
      ...secretRoutes(handlers),
      ...placedSecretRoutes(handlers),
      ...historyRoutes(handlers, history),
      ...batchRoutes(handlers, batches),
      ...searchRoutes(new Search(access, folders, secrets), context),
      ...backupRoutes(handlers, history),
    ],
    tables: [...PROJECT_SEALED, ...FOLDER_SEALED, ...SECRET_SEALED, REQUEST_SEALED],
    sealed: () => folders.forgetAll(),
  }
}
