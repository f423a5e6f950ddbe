import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { root, run } from '../run.mjs'
import { filesBelow } from '../workspaces.mjs'

// What the packages' READMEs show is run, so that it stays true.
for (const file of filesBelow(root, 'README.md')) {
  const examples = [...readFileSync(`${root}/${file}`, 'utf8').matchAll(/^```js\n([\s\S]*?)^```/gm)]
  for (const [i, [, example]] of examples.entries())
    test(`example ${i + 1} of ${file} runs`, async () => {
      const args = ['--input-type=module', '--eval', example]
      const { code, output } = await run(process.execPath, args, { isQuiet: true })
      assert.equal(code, 0, output)
    })
}
