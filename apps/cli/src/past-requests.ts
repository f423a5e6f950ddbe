/** Past requests as JSON lines: one request in each line, as `quorate tx show --json` gives views. */
import { fromRfc3339, type TxViewJson } from '@quorate/api'
import { Fault, fromUtf8, isFault } from '@quorate/base'
import type { PastRequest } from '@quorate/policy'
import { readBytes } from './files.ts'

/** One line of the file. */
type Line = {
  readonly id: string
  /** RFC 3339: when it was asked for. */
  readonly at: string
  readonly wallet: string
  readonly initiator: string
  readonly isTestnet: boolean
  readonly view: TxViewJson
  readonly outcome?: PastRequest['outcome']
}
/**
 * The requests of a file, those of one wallet where it is named.
 * @throws cli/file-not-found, cli/bad-file naming the line
 */
export function readPastRequests(path: string, wallet?: string): readonly PastRequest[] {
  const text = fromUtf8(readBytes(path)) ?? ''
  return text
    .split('\n')
    .flatMap((line, i) => {
      if (line.trim() === '') return []
      try {
        return [requestOf(JSON.parse(line) as Line)]
      } catch (cause) {
        const why = isFault(cause) ? ` (${cause.detail ?? cause.code})` : ''
        throw new Fault('cli/bad-file', {
          detail: `${path}:${i + 1}: it is no past request${why}`,
          cause,
        })
      }
    })
    .filter(({ facts }) => wallet === undefined || facts.wallet === wallet)
}

function requestOf({ id, at, wallet, initiator, isTestnet, view, outcome }: Line): PastRequest {
  for (const text of [id, wallet, initiator])
    if (typeof text !== 'string') throw new TypeError('a text is missing')
  if (typeof isTestnet !== 'boolean') throw new TypeError('isTestnet is missing')
  const { allowances, ...rest } = view
  return {
    id,
    facts: {
      view: {
        ...rest,
        outputs: view.outputs.map((each) => ({ ...each, amount: BigInt(each.amount) })),
        fee: view.fee === null ? undefined : { ...view.fee, amount: BigInt(view.fee.amount) },
        allowances: allowances?.map((each) => ({ ...each, amount: BigInt(each.amount) })),
      },
      initiator,
      isTestnet,
      now: fromRfc3339(at),
      wallet,
    },
    outcome,
  }
}
