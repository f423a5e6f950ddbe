import { ENVIRONMENTS, type Environment } from '@quorate/auth'

export const isEnvironment = (text: string): text is Environment =>
  ENVIRONMENTS.some((each) => each === text)
