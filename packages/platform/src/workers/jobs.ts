/** What worker threads can be asked to do, by name: the types that both sides agree on. */

/** What a job has of the side that asked for it. */
export type JobContext<Message = unknown> = {
  /** Tells that side something: how far the job is, or a message of the conversation. */
  send(message: Message): void
  /** Whether it no longer wants the job. Seen at once, also by work that never gives up its turn. */
  readonly isCancelled: boolean
  /** Lets messages and the other jobs of this worker have their turn. */
  turn(): Promise<void>
}

/** A request with one response. */
export type OneShotJob<Input = unknown, Output = unknown, Progress = unknown> = {
  run(input: Input, context: JobContext<Progress>): Output | Promise<Output>
}

/** The worker's end of a conversation. */
export type Conversation<Message = unknown> = {
  /**
   * Called with one message after the other, in the order they were posted; each is waited for.
   * Secrets in a message are the conversation's from then on, to wipe.
   */
  receive(message: Message): void | Promise<void>
  /** Called once, at the end: wipes what is held. */
  [Symbol.dispose](): void
}

/** A job that goes on, in messages both ways, until the side that opened it ends it. */
export type ConversationJob<Input = unknown, Message = unknown, Reply = unknown> = {
  open(
    input: Input,
    context: JobContext<Reply>,
  ): Conversation<Message> | Promise<Conversation<Message>>
}

/** All that one kind of worker does. */
export type JobTable = { readonly [name: string]: OneShotJob | ConversationJob }

type NamesOf<Jobs, Kind> = {
  [Name in keyof Jobs]: Jobs[Name] extends Kind ? Name : never
}[keyof Jobs] &
  string

export type OneShotName<Jobs> = NamesOf<Jobs, OneShotJob>
export type ConversationName<Jobs> = NamesOf<Jobs, ConversationJob>

export type InputOf<Job> =
  Job extends OneShotJob<infer Input, infer _Output, infer _Progress>
    ? Input
    : Job extends ConversationJob<infer Input, infer _Message, infer _Reply>
      ? Input
      : never
export type OutputOf<Job> =
  Job extends OneShotJob<infer _Input, infer Output, infer _Progress> ? Output : never
export type ProgressOf<Job> =
  Job extends OneShotJob<infer _Input, infer _Output, infer Progress> ? Progress : never
export type MessageOf<Job> =
  Job extends ConversationJob<infer _Input, infer Message, infer _Reply> ? Message : never
export type ReplyOf<Job> =
  Job extends ConversationJob<infer _Input, infer _Message, infer Reply> ? Reply : never
