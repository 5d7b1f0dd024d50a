import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { test } from 'node:test'
import { openMailer } from '../../src/alarms/send-mail.ts'
import { type MailServer, readConfig } from '../../src/base/config.ts'
import { type SmtpFault, selfSigned, startSmtpServer } from '../support/smtp-server.ts'

const skip = spawnSync('openssl', ['version']).status !== 0 && 'openssl is not on the PATH'
const password = 'pass:w%rd-that-nobody-may-see'
const never = new AbortController().signal
const mail = {
  id: 'notice.7.1',
  to: 'ann@shop.example',
  subject: '[pay.example] Key created / 已新建密钥',
  text: 'Key 7 was created.\n.\nA line of one dot above.\n\n已新建密钥。\n',
  date: new Date('2026-11-29T10:00:00Z'),
}

/** The server as SMTP_URL names it. */
function at(url: string, login = '', scheme = 'smtp'): MailServer {
  const { mailServer } = readConfig({
    SMTP_URL: `${scheme}://${login}${url}`,
    SMTP_FROM: 'gateway@pay.example',
  })
  return mailServer!
}

test('a mail has one recipient, both languages, and an id that is the same each time', async () => {
  const server = await startSmtpServer()
  const send = openMailer(at(server.url), never)
  assert.deepEqual([await send(mail), await send(mail)], [{ ok: true }, { ok: true }])
  const [first, second] = server.mails
  assert.deepEqual([first!.from, first!.to], ['gateway@pay.example', ['ann@shop.example']])
  assert.match(first!.data, /^Message-ID: <notice\.7\.1@pay\.example>\r$/m)
  assert.match(second!.data, /^Message-ID: <notice\.7\.1@pay\.example>\r$/m)
  assert.match(first!.data, /^Auto-Submitted: auto-generated\r$/im)
  assert.match(first!.data, /^Date: Sun, 29 Nov 2026 10:00:00 \+0000\r$/m)
  const end = first!.data.indexOf('\r\n\r\n')
  const [headers, body] = [first!.data.slice(0, end + 2), first!.data.slice(end + 4)]
  assert.match(headers, /^Subject: =\?UTF-8\?/m)
  assert.match(headers, /^Content-Transfer-Encoding: (base64|quoted-printable)\r$/m)
  const text = /base64/.test(headers)
    ? Buffer.from(body, 'base64').toString()
    : Buffer.from(
        body
          .replaceAll('=\r\n', '')
          .replace(/=([0-9A-F]{2})/g, (_, hex) => String.fromCharCode(Number.parseInt(hex, 16))),
        'latin1',
      ).toString()
  assert.match(text.replaceAll('\r', ''), /A line of one dot above\.\n\n已新建密钥。/)
})

test('no text of a mail becomes a header, a command or another recipient', async () => {
  const server = await startSmtpServer()
  const send = openMailer(at(server.url), never)
  const evil = 'x\r\nBcc: evil@evil.example\r\n\r\nbody\r\n.\r\nMAIL FROM:<evil@evil.example>'
  await send({ ...mail, subject: evil, text: evil })
  await send({ ...mail, to: `ann@shop.example${evil}` })
  await send({ ...mail, to: 'ann@shop.example, evil@evil.example' })
  await send({ ...mail, id: `x>${evil}` })
  assert.equal(server.mails.length, 2)
  const addressed = server.commands.filter(line => /^(MAIL|RCPT)/i.test(line))
  assert(!addressed.some(line => /<evil@|, /.test(line)), addressed.join('\n'))
  for (const { data, to } of server.mails) {
    const headers = data.split('\r\n\r\n')[0]!
    assert(!/^(bcc|body|MAIL)/im.test(headers), headers)
    assert.equal(to.length, 1)
  }
})

const faults: [step: string, fault: SmtpFault][] = [
  ['greeting', 'hang'],
  ['greeting', 'reset'],
  ['greeting', 'endless line'],
  ['greeting', 'drip'],
  ['greeting', { text: 'HTTP/1.1 400 Bad Request\r\n\r\n' }],
  ['greeting', { text: '554 go away\r\n' }],
  ['EHLO', 'endless answer'],
  ['EHLO', 'drip'],
  ['MAIL', { text: '421 shutting down\r\n' }],
  ['RCPT', { text: '550 no such user <script>\r\n' }],
  ['DATA', 'hang'],
  ['DATA', 'reset'],
  ['data', 'hang'],
  ['data', 'endless line'],
  ['data', { text: '451 later\r\n' }],
  ['data', { text: '\0\0\0\0\r\n' }],
]
for (const [step, fault] of faults) {
  const what = typeof fault === 'string' ? fault : JSON.stringify(fault.text)
  test(`a server that answers ${step} with ${what} has taken nothing, and holds nobody up`, async () => {
    const server = await startSmtpServer()
    server.faults.set(step, fault)
    const send = openMailer(at(server.url), never, { stepMs: 500, deadlineMs: 1_500 })
    const sent = await send(mail)
    assert.equal(sent.ok, false)
    assert(!sent.ok && /^[\w ,.]+$/.test(sent.reason), 'nothing that the server said is told on')
    // The next one is on a connection of its own.
    server.faults.clear()
    assert.deepEqual(await send(mail), { ok: true })
  })
}

test('a server that is not there, and a process that stops, end it at once', async () => {
  const server = await startSmtpServer()
  server.faults.set('DATA', 'hang')
  const stopping = new AbortController()
  const sending = openMailer(at(server.url), stopping.signal)(mail)
  while (!server.commands.includes('DATA')) await new Promise(resolve => setTimeout(resolve, 5))
  stopping.abort()
  assert.equal((await sending).ok, false)
  const gone = await openMailer(at('127.0.0.1:9'), never)(mail)
  assert(!gone.ok && /^E[A-Z]+/.test(gone.reason))
})

test('a password is never sent without TLS, nor to a certificate that is not trusted', { skip }, async () => {
  const login = `gateway:${encodeURIComponent(password)}@`
  const plain = await startSmtpServer({ auth: true })
  const forged = await startSmtpServer({ auth: true, certificate: selfSigned() })
  for (const server of [plain, forged]) {
    const sent = await openMailer(at(server.url, login), never)(mail)
    assert.equal(sent.ok, false)
    assert.equal(server.commands.filter(line => /^AUTH/i.test(line)).length, 0)
    assert.equal(server.mails.length, 0)
  }
  // smtps: TLS from the first byte on, which this server does not have.
  const tls = await openMailer(at(plain.url, login, 'smtps'), never, { stepMs: 500, deadlineMs: 1_500 })(mail)
  assert.equal(tls.ok, false)
})

test('without a password TLS is used where it is offered, whoever made the certificate', {
  skip,
}, async () => {
  const server = await startSmtpServer({ certificate: selfSigned() })
  assert.deepEqual(await openMailer(at(server.url), never)(mail), { ok: true })
  assert.deepEqual(
    server.mails.map(({ encrypted }) => encrypted),
    [true],
  )
})

test('SMTP_URL is read with its parts, and needs SMTP_FROM', () => {
  const from = 'gateway@pay.example'
  assert.deepEqual(at('mail.example', `us%40er:${encodeURIComponent(password)}@`, 'smtps'), {
    ...{ host: 'mail.example', port: 465, secure: true, user: 'us@er', password, from },
  })
  assert.deepEqual(at('[::1]:2525'), {
    ...{ host: '::1', port: 2525, secure: false, user: undefined, password: undefined, from },
  })
  assert.equal(at('mail.example').port, 587)
  const wrong = [
    { SMTP_URL: 'smtp://mail.example' },
    ...[
      'http://mail.example',
      'smtp://',
      'smtp://a b',
      'smtp://u@mail.example',
      'smtp://u:p@mail.example/x?y=1',
    ].map(SMTP_URL => ({ SMTP_URL, SMTP_FROM: from })),
    { SMTP_URL: 'smtp://u:p%zz@mail.example', SMTP_FROM: from },
    { SMTP_URL: 'smtp://mail.example:99999', SMTP_FROM: from },
    { SMTP_URL: 'smtp://mail.example', SMTP_FROM: 'Gateway <gateway@pay.example>' },
    { SMTP_URL: 'smtp://mail.example', SMTP_FROM: 'a@b\r\nBcc: c@d' },
  ]
  for (const env of wrong) assert.throws(() => readConfig(env), /SMTP_/, JSON.stringify(env))
})
