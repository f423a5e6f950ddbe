/**
 * Addresses of services in a cloud:
 *
 *   aws-kms:REGION?prefix=quorate&endpoint=URL
 *   azure-hsm:NAME.managedhsm.azure.net?ca-file=PATH
 *   google-hsm:projects/PROJECT/locations/LOCATION/keyRings/RING?endpoint=URL
 */
import { Fault } from '@quorate/base'
import type { CloudType } from './model.ts'
import type { HsmValues } from './settings.ts'

type Values = { readonly [K in keyof HsmValues]?: HsmValues[K] }

/** What each knows after `?`, and which setting that is. */
const QUERY: { readonly [T in CloudType]: { readonly [name: string]: keyof HsmValues } } = {
  'aws-kms': { prefix: 'keyPrefix', endpoint: 'endpoint' },
  'azure-hsm': { 'ca-file': 'caFile' },
  'google-hsm': { endpoint: 'endpoint' },
}

const PLACE: { readonly [T in CloudType]: (place: string) => Values | undefined } = {
  'aws-kms': (place) => (/^[a-z0-9-]{1,40}$/.test(place) ? { region: place } : undefined),
  'azure-hsm': (place) =>
    /^[A-Za-z0-9.-]{1,253}(:\d{1,5})?$/.test(place) ? { vaultUrl: `https://${place}` } : undefined,
  'google-hsm'(place) {
    const [, project, location, keyRing] =
      /^projects\/([a-z0-9:.-]{1,63})\/locations\/([a-z0-9-]{1,63})\/keyRings\/([A-Za-z0-9_-]{1,63})$/.exec(
        place,
      ) ?? []
    return project === undefined || location === undefined || keyRing === undefined
      ? undefined
      : { project, location, keyRing }
  },
}

const FORM: { readonly [T in CloudType]: string } = {
  'aws-kms': 'aws-kms:REGION, and after ? prefix and endpoint',
  'azure-hsm': 'azure-hsm:NAME.managedhsm.azure.net, and after ? ca-file',
  'google-hsm':
    'google-hsm:projects/PROJECT/locations/LOCATION/keyRings/RING, and after ? endpoint',
}

/** What the address of a service says after its scheme. @throws hsm/bad-uri with the right form */
export function cloudValues(type: CloudType, rest: string): Values {
  const [place = '', query = ''] = rest.split(/\?(.*)/s)
  const found = PLACE[type](place)
  const pairs = query === '' ? [] : [...new URLSearchParams(query)]
  const known = QUERY[type]
  const names = new Set(pairs.map(([name]) => name))
  const isKnown = pairs.every(([name, value]) => Object.hasOwn(known, name) && value !== '')
  if (found === undefined || !isKnown || names.size !== pairs.length)
    throw new Fault('hsm/bad-uri', { detail: FORM[type] })
  const more = Object.fromEntries(pairs.map(([name, value]) => [known[name], value])) as Values
  return { type, ...found, ...more }
}
