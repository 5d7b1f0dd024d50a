import assert from 'node:assert/strict'
import { test } from 'node:test'
import { checkCallbackUrl } from '../../src/egress/egress-guard.ts'
import { allowedUrls, refusedUrls } from './refused-urls.ts'

test(`none of ${refusedUrls.length} URLs that are private or invalid may be called`, () => {
  assert(refusedUrls.length >= 120)
  for (const url of refusedUrls) assert.match(checkCallbackUrl(url, []) ?? 'allowed', /^must /, url)
})

test('public addresses and names may be called by https, on any port of the web', () => {
  for (const url of allowedUrls) assert.equal(checkCallbackUrl(url, []), null, url)
})

test('an allowed network may be called although it is private, also by http; nothing else changes', () => {
  const allowed = ['127.0.0.0/8', '10.1.0.0/16', '::1/128']
  const cases: [url: string, sentence: string | null][] = [
    ['http://127.0.0.1:8080/cb', null],
    ['https://127.0.0.1:8443/cb', null],
    ['http://2130706433/', null],
    ['http://10.1.2.3/', null],
    ['http://[::1]:3000/', null],
    ['http://[::ffff:127.0.0.1]/', null],
    ['http://localhost:3000/', null],
    ['http://shop.internal/', null],
    ['https://shop.example/', null],
    ['http://127.0.0.1:6379/', 'must not use port 6379'],
    ['http://user@127.0.0.1/', 'must not contain a user name or password'],
    ['http://10.2.0.1/', 'must not lead to 10.2.0.1: private'],
    ['https://10.2.0.1/', 'must not lead to 10.2.0.1: private'],
    ['http://8.8.8.8/', 'must be https'],
    ['https://169.254.169.254/', 'must not lead to 169.254.169.254: link-local (cloud metadata)'],
    ['https://[::ffff:10.2.0.1]/', 'must not lead to ::ffff:a02:1: private'],
    ['https://[64:ff9b::7f00:1]/', 'must not lead to 64:ff9b::7f00:1: NAT64'],
  ]
  for (const [url, sentence] of cases) assert.equal(checkCallbackUrl(url, allowed), sentence, url)
})

test('an allowed translation prefix allows what the address inside is allowed', () => {
  const cases: [url: string, networks: string[], ok: boolean][] = [
    ['https://[64:ff9b::8.8.8.8]/', ['64:ff9b::/96'], true],
    ['https://[64:ff9b::10.0.0.1]/', ['64:ff9b::/96'], false],
    ['https://[64:ff9b::10.0.0.1]/', ['64:ff9b::/96', '10.0.0.0/8'], true],
    ['https://[2002:a00:1::]/', ['2002::/16'], false],
    ['https://[2002:808:808::]/', ['2002::/16'], true],
    ['https://[::127.0.0.1]/', ['::/96'], false],
    // Teredo has the address inside inverted: 10.0.0.1 and 8.8.8.8.
    ['https://[2001:0:1:2:3:4:f5ff:fffe]/', ['2001::/32'], false],
    ['https://[2001:0:1:2:3:4:f7f7:f7f7]/', ['2001::/32'], true],
  ]
  for (const [url, networks, ok] of cases) assert.equal(checkCallbackUrl(url, networks) === null, ok, url)
})
