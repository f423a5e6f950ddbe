export { type Command, parse } from './command.ts'
export { COMMANDS } from './commands/index.ts'
