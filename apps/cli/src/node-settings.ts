/** The settings of a node as options of the command line, and their values from all sources. */
import { existsSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { Fault } from '@quorate/base'
import { NODE_SETTINGS } from '@quorate/node'
import { type Config, loadConfig } from '@quorate/platform'
import type { Given, Options } from './command.ts'
import { homeOf } from './dev/home.ts'

/** Options with a shorter name than that of their setting, as other commands have them. */
const SHORTER: { readonly [key: string]: string } = {
  'hsm.uri': 'hsm',
  'hsm.file': 'hsm-config',
  'hsm.pin': 'pin-file',
}

/** `http.port` is --http-port; each value of the list `mesh.peers` is one --mesh-peer. */
function optionName(key: string, isList: boolean): string {
  if (SHORTER[key] !== undefined) return SHORTER[key]
  const name = key.replaceAll('.', '-').replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)
  return isList ? name.replace(/s$/, '') : name
}

const SETTINGS = Object.entries(NODE_SETTINGS).map(([key, { type, description }]) => ({
  // Arguments are open to every user of the machine, so that a secret comes by a file.
  key: type.isSecret ? `${key}File` : key,
  name: optionName(key, type.isList),
  isList: type.isList,
  about: description,
  expects: type.isSecret ? 'the path of a file of mode 0600' : type.expects,
}))

export const settingOptions = (): Options =>
  Object.fromEntries(
    SETTINGS.map(({ name, isList, about, expects }) => [
      name,
      {
        kind: isList ? 'list' : 'text',
        value: 'VALUE',
        about: `${about} Takes ${expects}.`,
      } as const,
    ]),
  )

/** Names of ours in the environment that are no settings of a node. */
const OTHER_NAMES = ['QUORATE_HOME', 'QUORATE_DEBUG', 'QUORATE_FAILPOINTS']

/**
 * What flags, environment, file and defaults say together.
 * @throws platform/unknown-setting, platform/bad-setting, platform/settings-disagree, …
 */
export function loadNodeConfig(given: Given): Config<typeof NODE_SETTINGS> {
  const flags: { [key: string]: string } = {}
  for (const { key, name, isList } of SETTINGS) {
    const value = isList ? given.list(name).join(',') : given.text(name)
    if (value !== undefined && value !== '') flags[key] = value
  }
  const asked = given.text('config')
  const file = asked ?? 'quorate.yaml'
  if (asked !== undefined && !existsSync(asked))
    throw new Fault('cli/file-not-found', { detail: asked })
  const load = (flagsOf: { readonly [key: string]: string }): Config<typeof NODE_SETTINGS> =>
    loadConfig(NODE_SETTINGS, {
      flags: flagsOf,
      env: process.env,
      otherNames: OTHER_NAMES,
      ...(existsSync(file) && { file: resolve(file) }),
    })
  const config = load(flags)
  return config.get('data') === undefined
    ? load({ ...flags, data: join(homeOf(given).path, 'node') })
    : config
}
