import type { Id } from '@quorate/base'
import type { Resource } from '../access/port.ts'
import type { Place } from '../folders/place.ts'
import type { Label } from './model.ts'

/** What access is asked about. */
export const resourceOfSecret = (
  project: Id<'prj'>,
  { environment, path }: Place,
  label: Pick<Label, 'name' | 'tags'>,
  id?: Id<'sec'>,
): Resource => ({
  kind: 'secret',
  id,
  project,
  environment,
  path,
  name: label.name,
  tags: label.tags,
})
