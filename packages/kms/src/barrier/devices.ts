/** The devices and the secret of the configuration, as recipients of the instance key. */
import type { Clock, Logger, Random } from '@quorate/base'
import { type OpenHsm, openHsm } from '@quorate/hsm'
import type { KmsConfig } from '../config.ts'
import { hsmRecipient, type Recipient, softwareRecipient } from './recipients.ts'

export type DevicePorts = {
  readonly clock: Clock
  readonly random: Random
  readonly logger: Logger
}

/**
 * Opens what is configured; each device that was opened is in `devices`, also where a later one fails. Keys
 * of devices are made where they are missing, unless `mayMake` is false.
 */
export async function openRecipients(
  config: KmsConfig,
  { clock, logger, random }: DevicePorts,
  devices: OpenHsm[],
  mayMake = true,
): Promise<readonly Recipient[]> {
  const recipients: Recipient[] = []
  const { pin, config: hsm } = config.hsm
  devices.push(await openHsm(hsm, { clock, logger, pin }))
  if (config.secondHsm !== undefined) {
    const { environment } = config
    devices.push(await openHsm({ uri: config.secondHsm, environment }, { clock, logger }))
  }
  for (const { provider } of devices)
    recipients.push(await hsmRecipient(provider, config.keyLabels, mayMake))
  if (config.encryptionKey !== undefined)
    recipients.push(softwareRecipient(config.encryptionKey, random))
  return recipients
}
