/** A PKCS#11 module with nothing around it: a session, and C_SignInit and C_Sign with buffers made beforehand. */
import koffi from 'koffi'

export type BareToken = {
  /** Signs `data` with the private key of that label, again and again. */
  signer(label: string, algorithm: string, data: Uint8Array): () => void
}

type Native = (...args: readonly (number | bigint)[]) => number

const CKU_USER = 1
const CKF_RW_SERIAL = 0x6
const CKA_CLASS = 0
const CKA_LABEL = 3
const CKO_PRIVATE_KEY = 3
const CKM_ECDSA = 0x1041
const CKM_EDDSA = 0x1057
const LABEL_BYTES = 32
const TOKEN_INFO_BYTES = 208

/** Memory that stays where it is as long as the process runs. */
function pinned(bytes: Uint8Array): { readonly address: bigint; readonly view: DataView } {
  const length = Math.max(bytes.length, 8)
  const pointer: unknown = koffi.alloc('uint8_t', length)
  const memory = koffi.view(pointer, length)
  new Uint8Array(memory).set(bytes)
  return { address: BigInt(koffi.address(pointer)), view: new DataView(memory) }
}

const ulongs = (...values: readonly (number | bigint)[]): Uint8Array =>
  new Uint8Array(new BigUint64Array(values.map(BigInt)).buffer)

export function openBare(library: string, label: string, pin: string): BareToken {
  const module = koffi.load(library, { deep: true })
  const bind = (name: string, args: number): Native =>
    module.func(
      name,
      'uint64',
      Array.from({ length: args }, () => 'uint64'),
    ) as Native
  const call = (name: string, ...args: readonly (number | bigint)[]): void => {
    const rv = bind(name, args.length)(...args)
    if (rv !== 0) throw new Error(`${name} answers 0x${rv.toString(16)}`)
  }
  call('C_Initialize', 0)
  const count = pinned(ulongs(16))
  const slots = pinned(new Uint8Array(8 * 16))
  call('C_GetSlotList', 1, slots.address, count.address)
  const found = Array.from({ length: Number(count.view.getBigUint64(0, true)) }, (_, i) =>
    slots.view.getBigUint64(8 * i, true),
  ).find((slot) => {
    const info = pinned(new Uint8Array(TOKEN_INFO_BYTES))
    call('C_GetTokenInfo', slot, info.address)
    const text = new Uint8Array(info.view.buffer, 0, LABEL_BYTES)
    return new TextDecoder().decode(text).trim() === label
  })
  if (found === undefined) throw new Error(`no token ${label}`)
  const handle = pinned(ulongs(0))
  call('C_OpenSession', found, CKF_RW_SERIAL, 0, 0, handle.address)
  const session = handle.view.getBigUint64(0, true)
  const code = new TextEncoder().encode(pin)
  call('C_Login', session, CKU_USER, pinned(code).address, code.length)
  return {
    signer(keyLabel, algorithm, data) {
      const name = new TextEncoder().encode(keyLabel)
      const kind = pinned(ulongs(CKO_PRIVATE_KEY))
      const template = pinned(
        ulongs(CKA_CLASS, kind.address, 8, CKA_LABEL, pinned(name).address, name.length),
      )
      call('C_FindObjectsInit', session, template.address, 2)
      const object = pinned(ulongs(0))
      call('C_FindObjects', session, object.address, 1, count.address)
      call('C_FindObjectsFinal', session)
      const key = object.view.getBigUint64(0, true)
      const type = algorithm === 'ed25519' ? CKM_EDDSA : CKM_ECDSA
      const mechanism = pinned(ulongs(type, 0, 0)).address
      const input = pinned(data).address
      const output = pinned(new Uint8Array(64)).address
      const length = pinned(ulongs(64))
      const [init, sign] = [bind('C_SignInit', 3), bind('C_Sign', 5)]
      return () => {
        length.view.setBigUint64(0, 64n, true)
        const rv =
          init(session, mechanism, key) || sign(session, input, data.length, output, length.address)
        if (rv !== 0) throw new Error(`signing answers 0x${rv.toString(16)}`)
      }
    },
  }
}
