/** Objects of a token: searching, reading, destroying. All of it inside of an operation of a `Connection`. */
import { ULONG_BYTES } from './arena.ts'
import { type Attributes, putTemplate, readAttributes, type Template } from './attributes.ts'
import type { OpenSession } from './connection.ts'
import { type AttributeName, CKR } from './constants.ts'
import { CkrError } from './cryptoki.ts'

const AT_ONCE = 64

/** Handles of all token objects that have these attributes. @throws CkrError */
export function search(connection: OpenSession, template: Template): readonly bigint[] {
  const { cryptoki, arena, session } = connection
  return arena.scope(() => {
    cryptoki.C_FindObjectsInit(session, ...putTemplate(arena, { TOKEN: true, ...template }))
    const list = arena.reserve(AT_ONCE * ULONG_BYTES)
    const count = arena.reserve(ULONG_BYTES)
    const found: bigint[] = []
    for (;;) {
      cryptoki.C_FindObjects(session, list, AT_ONCE, count)
      const length = Number(arena.readUlong(count))
      if (length === 0) break
      for (let i = 0; i < length; i++) found.push(arena.readUlong(list + i * ULONG_BYTES))
    }
    cryptoki.C_FindObjectsFinal(session)
    return found
  })
}

export function attributesOf(
  { cryptoki, arena, session }: OpenSession,
  object: bigint,
  names: readonly AttributeName[],
): Attributes {
  return readAttributes(cryptoki, arena, session, object, names)
}

/** Destroys what of these is still there. @throws CkrError */
export function destroyObjects(
  { cryptoki, session }: OpenSession,
  handles: readonly bigint[],
): void {
  for (const handle of handles)
    try {
      cryptoki.C_DestroyObject(session, handle)
    } catch (error) {
      if (!(error instanceof CkrError && error.ckr === CKR.OBJECT_HANDLE_INVALID)) throw error
    }
}
