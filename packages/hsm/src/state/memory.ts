/** The state in memory, for tests: what a crash would leave is what `contents` says. */
import { type HsmState, stateOver } from './store.ts'

export type MemoryState = HsmState & {
  /** What would be on disk, to begin the next one with. */
  contents(): ReadonlyMap<string, Uint8Array>
}

/** A state that begins with `contents`. */
export function memoryHsmState(contents: ReadonlyMap<string, Uint8Array> = new Map()): MemoryState {
  const kept = new Map(contents)
  const state = stateOver(
    {
      place: 'memory',
      async put(name, content) {
        kept.set(name, content)
      },
      close: async () => undefined,
    },
    kept,
  )
  return {
    read: (name, codec) => state.read(name, codec),
    names: (prefix) => state.names(prefix),
    write: (name, codec, value) => state.write(name, codec, value),
    update: (name, codec, next) => state.update(name, codec, next),
    close: () => state.close(),
    contents: () => new Map(kept),
  }
}
