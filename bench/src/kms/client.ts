/** A small client over the server's unix socket, for everything that is not measured. */
import http from 'node:http'

export type Answer = { readonly status: number; readonly body: unknown }
export type Call = (method: string, path: string, body?: unknown) => Promise<Answer>

/** @throws Error with the problem for any status of 400 and more */
export const clientOf =
  (socketPath: string, token?: string): Call =>
  (method, path, body) =>
    new Promise((resolve, reject) => {
      const request = http.request(
        {
          socketPath,
          method,
          path,
          headers: {
            host: 'localhost',
            ...(body !== undefined && { 'content-type': 'application/json' }),
            ...(token !== undefined && { authorization: `Bearer ${token}` }),
          },
        },
        (response) => {
          let text = ''
          response.setEncoding('utf8')
          response.on('data', (chunk: string) => {
            text += chunk
          })
          response.on('end', () => {
            const status = response.statusCode ?? 0
            if (status >= 400) reject(new Error(`${method} ${path}: ${text}`))
            else resolve({ status, body: text === '' ? undefined : JSON.parse(text) })
          })
        },
      )
      request.on('error', reject)
      request.end(body === undefined ? undefined : JSON.stringify(body))
    })
