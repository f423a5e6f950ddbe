/**
 * A guide in Markdown as something that can be run: the shell blocks in their order, and the machines
 * on which each is to be run, which are the names in bold after the word `On` right above it.
 */
export type GuideStep = { readonly machines: readonly string[]; readonly script: string }

/** The steps of a guide. A shell block that does not say where it is run is an error. */
export function stepsOf(markdown: string): readonly GuideStep[] {
  const steps: GuideStep[] = []
  const block = /(?:^On ((?:[^\n]*\*\*[a-z]+\*\*)+):\n\n)?^```sh\n([\s\S]*?)^```$/gm
  for (const [, where, script = ''] of markdown.matchAll(block)) {
    if (where === undefined) throw new Error(`nobody is told to run:\n${script}`)
    steps.push({
      machines: [...where.matchAll(/\*\*([a-z]+)\*\*/g)].map(([, name]) => name!),
      script,
    })
  }
  return steps
}
