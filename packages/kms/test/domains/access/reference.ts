/** The decision again, slow and obvious: regular expressions, calendar objects, addresses as bit strings. */
import { ACTIONS } from '#src/domains/access/actions.js'
import type { HeldRule } from '#src/domains/access/model.js'
import type { Asked } from '#src/domains/access/policy.js'

type Answer = 'yes' | 'no' | 'unknown'

const escaped = (text: string): string => text.replace(/[.+?^${}()|[\]\\]/g, '\\$&')

const nameRegExp = (pattern: string): RegExp =>
  new RegExp(`^${pattern.split('*').map(escaped).join('.*')}$`)

function pathMatches(pattern: string, path: string): boolean {
  const walk = (wanted: readonly string[], have: readonly string[]): boolean => {
    const [first, ...rest] = wanted
    if (first === undefined) return have.length === 0
    if (first === '**')
      return have
        .map((_, i) => i)
        .concat(have.length)
        .some((i) => walk(rest, have.slice(i)))
    if (have.length === 0) return false
    return (
      new RegExp(`^${first.split('*').map(escaped).join('[^/]*')}$`).test(have[0]!) &&
      walk(rest, have.slice(1))
    )
  }
  const parts = (text: string): readonly string[] => text.split('/').filter((part) => part !== '')
  return walk(parts(pattern), parts(path))
}

/** `4:` or `6:` and the address as ones and zeros. */
function bits(address: string): string {
  if (address.includes('.')) {
    const plain = address.replace('::ffff:', '')
    return `4:${plain
      .split('.')
      .map((part) => Number(part).toString(2).padStart(8, '0'))
      .join('')}`
  }
  const [head = '', tail = ''] = address.split('::')
  const groups = (text: string): readonly string[] => text.split(':').filter((part) => part !== '')
  const missing = 8 - groups(head).length - groups(tail).length
  const all = [...groups(head), ...Array.from({ length: missing }, () => '0'), ...groups(tail)]
  return `6:${all.map((part) => Number.parseInt(part, 16).toString(2).padStart(16, '0')).join('')}`
}

function inNetwork(address: string, network: string): boolean {
  if (address === 'local' || network === 'local') return address === network
  const [base = '', length] = network.split('/')
  const prefix = length === undefined ? bits(base) : bits(base).slice(0, 2 + Number(length))
  return bits(address).startsWith(prefix)
}

function answersOf(
  { rule, startsAt, endsAt }: HeldRule,
  { resource, now, address }: Asked,
): readonly Answer[] {
  const { when = {} } = rule
  const be = (holds: boolean): Answer => (holds ? 'yes' : 'no')
  const answers: Answer[] = [be(startsAt <= now), be(now < endsAt)]
  if (when.notBefore) answers.push(be(new Date(when.notBefore) <= new Date(now)))
  if (when.notAfter) answers.push(be(new Date(now) < new Date(when.notAfter)))
  if (when.environments)
    answers.push(
      resource.environment === undefined
        ? 'unknown'
        : be(when.environments.some((each) => nameRegExp(each).test(resource.environment!))),
    )
  if (when.names)
    answers.push(
      resource.name === undefined
        ? 'unknown'
        : be(when.names.some((each) => nameRegExp(each).test(resource.name!))),
    )
  if (when.paths)
    answers.push(
      resource.path === undefined
        ? 'unknown'
        : be(when.paths.some((each) => pathMatches(each, resource.path!))),
    )
  if (when.tags)
    answers.push(
      resource.tags === undefined
        ? 'unknown'
        : be(when.tags.some((each) => resource.tags!.includes(each))),
    )
  if (when.addresses) answers.push(be(when.addresses.some((each) => inNetwork(address, each))))
  if (when.hours) {
    const at = new Date(now)
    const clock = at.toISOString().slice(11, 16)
    const day = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'][at.getUTCDay()]!
    answers.push(be(when.hours.from <= clock && clock < when.hours.to))
    answers.push(be((when.hours.days ?? [day]).some((each) => each === day)))
  }
  return answers
}

function concerns({ rule, scope }: HeldRule, { action, resource }: Asked): boolean {
  const [domain] = action.split('.')
  const { when = {} } = rule
  const has = (attribute: 'environment' | 'path' | 'name' | 'tags'): boolean =>
    ACTIONS[action].attributes.includes(attribute)
  if (scope !== '*' && scope !== resource.project) return false
  if (!['*', action, `${domain}.*`].some((each) => rule.actions.includes(each))) return false
  if (when.environments && !has('environment')) return false
  if (when.paths && !has('path')) return false
  if (when.names && !has('name')) return false
  return !(when.tags && !has('tags'))
}

export function referenceDecision(rules: readonly HeldRule[], asked: Asked): boolean {
  const relevant = rules.filter((each) => concerns(each, asked))
  const matching = (effect: 'allow' | 'deny'): readonly HeldRule[] =>
    relevant.filter((each) => {
      const answers = answersOf(each, asked)
      const good = effect === 'allow' ? ['yes'] : ['yes', 'unknown']
      return each.rule.effect === effect && answers.every((answer) => good.includes(answer))
    })
  return matching('deny').length === 0 && matching('allow').length > 0
}
