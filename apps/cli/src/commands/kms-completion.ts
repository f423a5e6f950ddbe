import type { Command } from '../command.ts'

/** The command that completes all of `commands`, which it is asked for when it runs: it is one of them. */
export const completionCommand = (commands: () => readonly Command[]): Command => ({
  name: 'completion',
  summary: 'Print the completion of all commands for a shell',
  arguments: [{ name: 'SHELL', about: 'bash, zsh or fish' }],
  examples: [
    'quorate completion bash > ~/.local/share/bash-completion/completions/quorate',
    'quorate completion zsh > ~/.zsh/_quorate',
    'quorate completion fish > ~/.config/fish/completions/quorate.fish',
  ],
  load: async () => (await import('../kms/actions/completion.ts')).completionOf(commands()),
})
