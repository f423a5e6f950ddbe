import assert from 'node:assert/strict'
import test from 'node:test'
import fc from 'fast-check'
import { coverGap } from '#src/domains/access/cover.js'
import type { HeldRule, Rule } from '#src/domains/access/model.js'
import { CompiledPolicy, refusalOf } from '#src/domains/access/policy.js'
import { askedArbitrary, HOUR, heldArbitrary, heldList, NOW, PROJECTS } from './arbitrary.js'
import { referenceDecision } from './reference.js'

const [project, other] = PROJECTS as [(typeof PROJECTS)[0], (typeof PROJECTS)[0]]

const held = (rule: Rule, more: Partial<HeldRule> = {}): HeldRule => ({
  rule,
  label: 'role:test#1',
  scope: project,
  startsAt: Number.NEGATIVE_INFINITY,
  endsAt: Number.POSITIVE_INFINITY,
  ...more,
})
const secret = { kind: 'secret', project, environment: 'prod', path: '/app', name: 'KEY', tags: [] }
const ask = { action: 'secret.read', resource: secret, now: NOW, address: '192.0.2.1' } as const

test('the decision is that of the reference', () => {
  let allowed = 0
  let denied = 0
  fc.assert(
    fc.property(
      heldList,
      fc.array(askedArbitrary, { minLength: 1, maxLength: 5 }),
      (rules, questions) => {
        const policy = new CompiledPolicy(rules)
        for (const asked of questions) {
          const decision = policy.decide(asked)
          assert.equal(decision.allowed, referenceDecision(rules, asked))
          if (decision.allowed) allowed++
          else denied++
          // The explanation agrees with the decision.
          const by = (effect: string): boolean =>
            decision.why.some((each) => each.effect === effect && each.matched)
          assert.equal(decision.allowed, by('allow') && !by('deny'))
          assert.equal(decision.rule === undefined, !by('allow') && !by('deny'))
        }
      },
    ),
    { numRuns: 3000 },
  )
  assert.ok(allowed > 200 && denied > 200, `${allowed} allowed, ${denied} denied`)
})

test('what is covered permits nothing more', () => {
  let proven = 0
  fc.assert(
    fc.property(
      heldList,
      heldArbitrary,
      fc.array(askedArbitrary, { minLength: 5, maxLength: 10 }),
      (mine, given, questions) => {
        if (coverGap(mine, [given], NOW) !== undefined) return
        proven++
        const giver = new CompiledPolicy(mine)
        const gift = new CompiledPolicy([{ ...given, rule: { ...given.rule, effect: 'allow' } }])
        for (const asked of questions) {
          const later = { ...asked, now: Math.max(asked.now, NOW) }
          if (gift.decide(later).allowed) assert.ok(giver.decide(later).allowed)
        }
      },
    ),
    { numRuns: 6000 },
  )
  assert.ok(proven > 200, `${proven} proven`)
})

test('everybody covers a narrower form of what he holds', () => {
  const wide = held({
    effect: 'allow',
    actions: ['secret.*'],
    when: { paths: ['/app/**'], environments: ['prod*'] },
  })
  const narrow = held({
    effect: 'allow',
    actions: ['secret.read'],
    when: { paths: ['/app/*/keys'], environments: ['prod-eu'] },
  })
  assert.equal(coverGap([wide], [narrow], NOW), undefined)
  assert.equal(coverGap([narrow], [wide], NOW), 'secret.list')
  const refusal = held({ effect: 'deny', actions: ['secret.*'], when: { paths: ['/app/x/**'] } })
  assert.equal(coverGap([wide, refusal], [narrow], NOW), 'secret.read')
  const elsewhere = held({ effect: 'deny', actions: ['secret.*'], when: { paths: ['/other/**'] } })
  assert.equal(coverGap([wide, elsewhere], [narrow], NOW), undefined)
})

test('who may for an hour gives for an hour at most', () => {
  const rule: Rule = { effect: 'allow', actions: ['secret.read'] }
  const mine = held(rule, { endsAt: NOW + HOUR })
  assert.equal(coverGap([mine], [held(rule, { endsAt: NOW + HOUR })], NOW), undefined)
  assert.equal(coverGap([mine], [held(rule, { endsAt: NOW + HOUR + 1 })], NOW), 'secret.read')
  assert.equal(
    coverGap([mine], [held(rule, { scope: other, endsAt: NOW + HOUR })], NOW),
    'secret.read',
  )
})

test('a refusal says what was missing', () => {
  const rules = [
    held({ effect: 'allow', actions: ['secret.read'], when: { environments: ['dev'] } }),
  ]
  const decision = new CompiledPolicy(rules).decide(ask)
  assert.equal(decision.allowed, false)
  assert.equal(
    refusalOf('secret.read', decision),
    'secret.read: role:test#1: It does not apply: it needs environment dev.',
  )
  assert.equal(
    refusalOf('secret.read', new CompiledPolicy([]).decide(ask)),
    'secret.read: no role or grant of yours names it in this project',
  )
  const denying = new CompiledPolicy([...rules, held({ effect: 'deny', actions: ['*'] })]).decide(
    ask,
  )
  assert.equal(refusalOf('secret.read', denying), 'secret.read: denied by role:test#1')
})

test('an attribute that the request leaves open stops a rule that allows, not one that denies', () => {
  const { name: _, ...open } = secret
  const when = { names: ['KEY'] }
  const allow = held({ effect: 'allow', actions: ['secret.read'], when })
  const everything = held({ effect: 'allow', actions: ['*'] })
  const deny = held({ effect: 'deny', actions: ['*'], when })
  assert.equal(new CompiledPolicy([allow]).decide({ ...ask, resource: open }).allowed, false)
  assert.equal(
    new CompiledPolicy([everything, deny]).decide({ ...ask, resource: open }).allowed,
    false,
  )
  // Folders have no names of secrets, so the refusal is not about them.
  assert.equal(
    new CompiledPolicy([everything, deny]).decide({ ...ask, action: 'folder.read' }).allowed,
    true,
  )
})
