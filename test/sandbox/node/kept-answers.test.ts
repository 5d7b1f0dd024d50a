import assert from 'node:assert/strict'
import { test } from 'node:test'
import { SandboxChain } from '../../../src/sandbox/chain/sandbox-chain.ts'
import { type AnswerForm, KeptAnswers } from '../../../src/sandbox/node/kept-answers.ts'
import { startNodeView } from '../../../src/sandbox/node-view.ts'

const write = (answer: { height: number }) => Buffer.alloc(10, answer.height)
const counting = () => {
  const made: number[] = []
  const make = ({ height }: { height: number }) => {
    made.push(height)
    return { height }
  }
  return { made, form: { make, write } }
}

test('an answer about a block is made once in each form, and kept with how it is written', () => {
  const kept = new KeptAnswers()
  const block = new SandboxChain().head
  const { made, form } = counting()
  for (const of of ['block', 'block', 'infos', 'block'] as AnswerForm[]) kept.of(block, of, form)
  assert.equal(made.length, 2)
  const answer = kept.of(block, 'block', form)
  assert.deepEqual(kept.written(answer), write(answer))
  assert.equal(kept.written({ ...answer }), undefined, 'a changed answer is another object')
})

test('a block that a lie changes has answers of its own, although its id is the same', () => {
  const kept = new KeptAnswers()
  const block = new SandboxChain().head
  const { made, form } = counting()
  kept.of(block, 'block', form)
  kept.of({ ...block, transactions: [] }, 'block', form)
  assert.equal(made.length, 2)
})

test('the oldest answers are dropped beyond the bound, and made again when they are asked for', () => {
  const kept = new KeptAnswers(35)
  const chain = new SandboxChain()
  const { made, form } = counting()
  for (const height of [1, 2, 3, 4, 4, 3, 2]) kept.of(chain.block(height)!, 'block', form)
  assert.deepEqual(made, [1, 2, 3, 4])
  for (const height of [1, 3, 4, 2]) kept.of(chain.block(height)!, 'block', form)
  assert.deepEqual(made, [1, 2, 3, 4, 1, 2])
})

test('a fault that ends leaves nothing of its answers behind', async () => {
  const chain = new SandboxChain()
  const node = await startNodeView(chain, { control: false })
  const { height, id } = chain.block(5)!
  const ask = async () => {
    const body = JSON.stringify({ num: height })
    const response = await fetch(`${node.url}/wallet/getblockbynum`, { method: 'POST', body })
    return ((await response.json()) as { blockID?: string }).blockID
  }
  assert.equal(await ask(), id)
  const { id: fault } = node.faults.set({ kind: 'other-hash' })
  const lie = await ask()
  assert.notEqual(lie, id)
  assert.equal(await ask(), lie)
  node.faults.clear(fault)
  assert.equal(await ask(), id)
  await node.close()
})
