/** What a program is: the beginning of a protocol that can run in a worker as well as here. */
import type { Random } from '@quorate/base'
import type { PartyId, Step } from '@quorate/threshold'

export type SessionFacts = {
  /** 32 bytes. */
  readonly sid: Uint8Array
  readonly protocol: string
  readonly self: PartyId
  /** Ascending, with this party. */
  readonly parties: readonly PartyId[]
}

/** What a program has besides its input. */
export type Environment = SessionFacts & {
  readonly random: Random
  /** Tells people how far a long step is. */
  progress(phase: string, done: number, of: number): void
  /** Disposes of the resource when the session has ended, whichever way. Returns it. */
  keep<Resource extends Disposable>(resource: Resource): Resource
}

/** Turns plain data into the first step of a protocol, whose output is plain data again. */
export type Program<Input = unknown, Output = unknown> = {
  begin(input: Input, environment: Environment): Step<Output> | Promise<Step<Output>>
}
export type ProgramTable = { readonly [name: string]: Program }

/** A program that has begun. The owner disposes of it after its session. */
export type BegunProgram = Disposable & { readonly first: Step<unknown> }

/** Begins a program; where that fails, what it kept is disposed of. @throws what the program throws */
export async function beginProgram(
  program: Program,
  input: unknown,
  has: Omit<Environment, 'keep'>,
): Promise<BegunProgram> {
  const kept: Disposable[] = []
  const dispose = (): void => {
    for (const resource of kept.splice(0)) resource[Symbol.dispose]()
  }
  try {
    const first = await program.begin(input, {
      ...has,
      keep(resource) {
        kept.push(resource)
        return resource
      },
    })
    return { first, [Symbol.dispose]: dispose }
  } catch (error) {
    dispose()
    throw error
  }
}
