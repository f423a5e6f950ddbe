/** JSON-RPC 2.0 over HTTP: one call, one answer. */
import { fromUtf8 } from '@quorate/base'
import type { Endpoint } from './endpoint.ts'
import { badAnswer, httpRefusal, refusal } from './refusals.ts'

/** The result of a call. @throws cli/rpc-unreachable, cli/rpc-refused, cli/rpc-bad-answer */
export async function callRpc(
  endpoint: Endpoint,
  method: string,
  params: readonly unknown[] = [],
): Promise<unknown> {
  const request = JSON.stringify({ jsonrpc: '2.0', id: 1, method, params })
  const { status, body } = await endpoint.post('', 'application/json', request)
  const answer = objectIn(body)
  const { error } = answer ?? {}
  if (typeof error === 'object' && error !== null) {
    const { code, message } = error as { readonly code?: unknown; readonly message?: unknown }
    throw refusal(method, Number.isSafeInteger(code) ? (code as number) : 0, String(message))
  }
  if (status !== 200) throw httpRefusal(method, status, body)
  if (answer === undefined || !Object.hasOwn(answer, 'result')) throw badAnswer(method)
  return answer['result']
}

function objectIn(body: Uint8Array): { readonly [name: string]: unknown } | undefined {
  try {
    const value: unknown = JSON.parse(fromUtf8(body) ?? '')
    return typeof value === 'object' && value !== null
      ? (value as { readonly [name: string]: unknown })
      : undefined
  } catch {
    return undefined
  }
}

/** The value at a path of names, such as `['value', 'blockhash']`; `undefined` where there is none. */
export function valueAt(json: unknown, path: readonly (string | number)[]): unknown {
  let value = json
  for (const name of path) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, name)) return undefined
    value = (value as { readonly [name: string | number]: unknown })[name]
  }
  return value
}
