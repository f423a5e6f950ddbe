/** The settings of a daemon as options of its command, and their values from flags, environment, file and defaults. */
import { existsSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { Fault } from '@quorate/base'
import { type Config, loadConfig, type Settings } from '@quorate/platform'
import type { Given, Options } from './command.ts'
import { homeOf } from './dev/home.ts'

/** Names of ours in the environment that are settings of no daemon. */
const OTHER_NAMES = ['QUORATE_HOME', 'QUORATE_DEBUG', 'QUORATE_FAILPOINTS']

/** Settings of an HSM whose options have shorter names, as other commands have them. */
export const SHORTER_HSM_NAMES: { readonly [key: string]: string } = {
  'hsm.uri': 'hsm',
  'hsm.file': 'hsm-config',
  'hsm.pin': 'pin-file',
}

export type SettingOptionsOf<S extends Settings> = {
  readonly settings: S
  /** Where the settings are unless --config names another file. */
  readonly file: string
  /** Options that are not named after their setting. */
  readonly shorter?: { readonly [key: string]: string }
  /** Part of the home that is the data directory where `data` is not set. */
  readonly dataIn?: string
}

export class SettingOptions<S extends Settings> {
  readonly #o: SettingOptionsOf<S>
  readonly #options: readonly {
    readonly key: string
    readonly name: string
    readonly isList: boolean
    readonly about: string
  }[]

  constructor(o: SettingOptionsOf<S>) {
    this.#o = o
    this.#options = Object.entries(o.settings).map(([key, { type, description }]) => ({
      // Arguments are open to every user of the machine, so that a secret comes by a file.
      key: type.isSecret ? `${key}File` : key,
      name: o.shorter?.[key] ?? optionName(key, type.isList),
      isList: type.isList,
      about: `${description} Takes ${type.isSecret ? 'the path of a file of mode 0600' : type.expects}.`,
    }))
  }

  get options(): Options {
    return Object.fromEntries(
      this.#options.map(({ name, isList, about }) => [
        name,
        { kind: isList ? 'list' : 'text', value: 'VALUE', about } as const,
      ]),
    )
  }

  /**
   * What flags, environment, file and defaults say together.
   * @throws cli/file-not-found, platform/unknown-setting, platform/bad-setting, platform/settings-disagree, …
   */
  load(given: Given): Config<S> {
    const flags: { [key: string]: string } = {}
    for (const { key, name, isList } of this.#options) {
      const value = isList ? given.list(name).join(',') : given.text(name)
      if (value !== undefined && value !== '') flags[key] = value
    }
    const asked = given.text('config')
    const file = asked ?? this.#o.file
    if (asked !== undefined && !existsSync(asked))
      throw new Fault('cli/file-not-found', { detail: asked })
    const load = (flagsOf: { readonly [key: string]: string }): Config<S> =>
      loadConfig(this.#o.settings, {
        flags: flagsOf,
        env: process.env,
        otherNames: OTHER_NAMES,
        ...(existsSync(file) && { file: resolve(file) }),
      })
    const config = load(flags)
    const { dataIn } = this.#o
    return dataIn === undefined || config.get('data') !== undefined
      ? config
      : load({ ...flags, data: join(homeOf(given).path, dataIn) })
  }
}

/** `http.port` is --http-port; each value of the list `mesh.peers` is one --mesh-peer. */
function optionName(key: string, isList: boolean): string {
  const name = key.replaceAll('.', '-').replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)
  return isList ? name.replace(/s$/, '') : name
}
