import assert from 'node:assert/strict'

/** Posts to the control API of a sandbox node. @returns the answer, once its status is the expected one. */
export async function askControl(
  { url }: { url: string },
  path: string,
  body: unknown,
  status = 200,
  // biome-ignore lint/suspicious/noExplicitAny: answers of every shape, looked into by the tests.
): Promise<any> {
  const response = await fetch(`${url}/sandbox/${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  })
  const answer = await response.json()
  assert.equal(response.status, status, JSON.stringify(answer))
  return answer
}
