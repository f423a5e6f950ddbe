/** What tests of stored state need to read a node's database by themselves. */
export { MIGRATIONS } from '../schema.ts'
export { Store } from '../store.ts'
