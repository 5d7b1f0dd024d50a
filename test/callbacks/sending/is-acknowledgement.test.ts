import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { isAcknowledgement } from '../../../src/callbacks/sending/is-acknowledgement.ts'

const says = (body: string | Buffer, word = 'success', status = 200) =>
  isAcknowledgement(status, Buffer.from(body), { acknowledgement: word, acknowledgementAnywhere: false })

for (const body of [
  'success',
  'SUCCESS',
  ' success\r\n',
  '\ufeffsuccess',
  '\ufeff "Success" \n',
  "'success'",
  '{"msg":"success"}',
  '{"message":"Success"}',
  '\ufeff{"status":"SUCCESS","data":null}',
  ' { "result" : " success " } ',
  '{"code":0,"msg":"success"}',
  '{"code":"200","message":"success","error":""}',
  '{"code":1,"msg":"success","error":null}',
  '{"code":"SUCCESS","msg":"success"}',
  '{"success":true,"status":"success","error":false}',
  '{"success":"true","result":"success","error":[]}',
]) {
  test(`it acknowledges: ${JSON.stringify(body)}`, () => assert(says(body)))
}

for (const body of [
  '',
  'unsuccessful',
  'no success',
  'success!',
  '""success""',
  '"success',
  '{"success":false}',
  '{"success":true}',
  '{"success":"success"}',
  '{"success":false,"msg":"success"}',
  '{"success":0,"msg":"success"}',
  '{"code":500,"msg":"success"}',
  '{"code":-1,"msg":"success"}',
  '{"code":"FAIL","msg":"success"}',
  '{"error":"no such order","status":"success"}',
  '{"error":{"code":7},"status":"success"}',
  '{"data":{"msg":"success"}}',
  '{"success":{"toString":1,"valueOf":1},"msg":"success"}',
  '{"code":{"toString":1,"valueOf":1},"msg":"success"}',
  '{"error":{"toString":1,"valueOf":1},"msg":"success"}',
  '{"success":[true],"msg":"success"}',
  '[{"msg":"success"}]',
  '{"msg":["success"]}',
  '{"msg":"success"',
  '<html><div class="alert-success">It is done</div></html>',
  Buffer.from([0xff, 0xfe, 0x73]),
]) {
  test(`it does not acknowledge: ${JSON.stringify(body.toString())}`, () => assert(!says(body)))
}

test('only a 2xx acknowledges, and any 2xx where no word is wanted', () => {
  for (const status of [199, 300, 302, 404, 500, 502]) assert(!says('success', 'success', status))
  const any = { acknowledgement: null, acknowledgementAnywhere: false }
  for (const status of [200, 204, 299]) assert(isAcknowledgement(status, Buffer.alloc(0), any))
  assert(!isAcknowledgement(502, Buffer.alloc(0), any))
})

test('whatever JSON an endpoint answers is judged, and throws nothing', () => {
  const member = fc.constantFrom('msg', 'message', 'status', 'result', 'success', 'code', 'error')
  fc.assert(
    fc.property(fc.dictionary(member, fc.jsonValue()), answer => {
      assert.equal(typeof says(JSON.stringify(answer)), 'boolean')
    }),
  )
})

test('a word of any script is compared', () => {
  assert(says('成功', '成功'))
  assert(says('{"msg":"成功"}', '成功'))
  assert(!says('不成功', '成功'))
  assert(says('ÉTÉ', 'été'))
})

test('a word that was set before it had to be all of the answer may stand anywhere, as it was spelled', () => {
  const before = { acknowledgement: 'success', acknowledgementAnywhere: true }
  assert(isAcknowledgement(200, Buffer.from('order 7: success, thanks'), before))
  assert(!isAcknowledgement(200, Buffer.from('SUCCESS'), before))
  assert(!isAcknowledgement(500, Buffer.from('success'), before))
})
