/**
 * kms run: a program with the secrets in its environment, and nowhere else. Signals go through, and its exit
 * code comes back; 125 is a failure of ours, 126 a program that cannot be run, 127 one that is not there.
 */
import { spawn } from 'node:child_process'
import { constants } from 'node:os'
import { Fault, isFault } from '@quorate/base'
import type { Given, Run } from '../../command.ts'
import type { Output } from '../../output.ts'
import { connectKms, placeOf } from '../connect.ts'

const OWN_FAILURE = 125
const NOT_EXECUTABLE = 126
const NOT_FOUND = 127

/** What a shell and every program can hold as a variable. */
const VARIABLE = /^[A-Za-z_][A-Za-z0-9_]*$/
/** Variables by which whoever may write a secret could make the program run something else. */
const REFUSED = /^(LD_.*|DYLD_.*|NODE_OPTIONS|BASH_ENV|ENV|PATH|PYTHONPATH|PERL5OPT|RUBYOPT)$/
const FORWARDED: readonly NodeJS.Signals[] = [
  'SIGINT',
  'SIGTERM',
  'SIGHUP',
  'SIGQUIT',
  'SIGUSR1',
  'SIGUSR2',
  'SIGWINCH',
]

export const run: Run = async (given, output) => {
  const [command, ...words] = given.arguments
  if (command === undefined) throw new Fault('cli/missing-argument', { detail: 'COMMAND' })
  let secrets: NodeJS.ProcessEnv
  try {
    secrets = await secretsFor(given, output)
  } catch (error) {
    output.fault(isFault(error) ? error : new Fault('cli/internal', { cause: error }))
    process.exit(OWN_FAILURE)
  }
  process.exit(await runWith(command, words, secrets, output))
}

async function secretsFor(given: Given, output: Output): Promise<NodeJS.ProcessEnv> {
  const connection = await connectKms(given)
  const place = await placeOf(given, connection)
  const allowed = new Set(given.list('allow'))
  const secrets: NodeJS.ProcessEnv = {}
  for await (const { secretName: name, secretValue, encoding } of connection.client.readSecrets(
    place,
  )) {
    if (!VARIABLE.test(name) || encoding === 'base64' || secretValue.includes('\0'))
      output.note(`${name} is left out: it is no text that a variable can hold.`)
    else if (REFUSED.test(name) && !allowed.has(name))
      output.note(
        `${name} is left out: it changes what a program runs. --allow ${name} lets it in.`,
      )
    else secrets[name] = secretValue
  }
  return secrets
}

function runWith(
  command: string,
  words: readonly string[],
  secrets: NodeJS.ProcessEnv,
  output: Output,
): Promise<number> {
  const { KMS_TOKEN: _token, KMS_TOKEN_FILE: _file, ...environment } = process.env
  return new Promise((resolve) => {
    const forward = (signal: NodeJS.Signals): void => void child.kill(signal)
    // Before the program runs: it may have said that it is ready by the time that spawn returns.
    for (const signal of FORWARDED) process.on(signal, forward)
    const child = spawn(command, words, { stdio: 'inherit', env: { ...environment, ...secrets } })
    child.once('error', ({ code }: NodeJS.ErrnoException) => {
      output.fault(
        new Fault('cli/cannot-run', { detail: `${command} (${code ?? 'unknown error'})` }),
      )
      resolve(code === 'ENOENT' ? NOT_FOUND : NOT_EXECUTABLE)
    })
    child.once('exit', (code, signal) => {
      // As a shell has it: a program that a signal ended gives 128 and the number of the signal.
      resolve(code ?? 128 + (signal === null ? 0 : constants.signals[signal]))
    })
  })
}
