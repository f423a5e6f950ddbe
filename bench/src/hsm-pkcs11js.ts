/** The same through pkcs11js, which has to be compiled: an optional dependency of the bench alone. */
import type { BareToken } from './hsm-bare.ts'

type Pkcs11 = {
  load(path: string): void
  C_Initialize(): void
  C_GetSlotList(present: boolean): readonly Uint8Array[]
  C_GetTokenInfo(slot: Uint8Array): { readonly label: string }
  C_OpenSession(slot: Uint8Array, flags: number): Uint8Array
  C_Login(session: Uint8Array, user: number, pin: string): void
  C_FindObjectsInit(session: Uint8Array, template: readonly object[]): void
  C_FindObjects(session: Uint8Array, most: number): readonly Uint8Array[]
  C_FindObjectsFinal(session: Uint8Array): void
  C_SignInit(session: Uint8Array, mechanism: object, key: Uint8Array): void
  C_Sign(session: Uint8Array, data: Uint8Array, output: Uint8Array): Uint8Array
}

const ALREADY_INITIALIZED = 0x191
const ALREADY_LOGGED_IN = 0x100

/** Undefined, with a word on standard error, where pkcs11js is not compiled. */
export async function pkcs11jsToken(
  library: string,
  label: string,
  pin: string,
): Promise<BareToken | undefined> {
  const name = 'pkcs11js'
  const loaded = await import(name).then(
    (module: { readonly default: { readonly PKCS11: new () => Pkcs11 } }) => module.default,
    () => undefined,
  )
  if (loaded === undefined) {
    process.stderr.write(
      'pkcs11js is not compiled, so there is no baseline: npx node-gyp rebuild -C node_modules/pkcs11js\n',
    )
    return undefined
  }
  const p11 = new loaded.PKCS11()
  p11.load(library)
  tolerate(ALREADY_INITIALIZED, () => p11.C_Initialize())
  const slot = p11
    .C_GetSlotList(true)
    .find((each) => p11.C_GetTokenInfo(each).label.trim() === label)!
  const session = p11.C_OpenSession(slot, 0x6)
  tolerate(ALREADY_LOGGED_IN, () => p11.C_Login(session, 1, pin))
  return {
    signer(keyLabel, algorithm, data) {
      p11.C_FindObjectsInit(session, [
        { type: 0, value: 3 },
        { type: 3, value: keyLabel },
      ])
      const [key] = p11.C_FindObjects(session, 1)
      p11.C_FindObjectsFinal(session)
      const mechanism = { mechanism: algorithm === 'ed25519' ? 0x1057 : 0x1041 }
      const [input, output] = [Buffer.from(data), Buffer.alloc(64)]
      return () => {
        p11.C_SignInit(session, mechanism, key!)
        p11.C_Sign(session, input, output)
      }
    },
  }
}

function tolerate(code: number, work: () => void): void {
  try {
    work()
  } catch (error) {
    if ((error as { readonly code?: number }).code !== code) throw error
  }
}
