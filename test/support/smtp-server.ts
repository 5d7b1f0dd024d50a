import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { createServer, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after } from 'node:test'
import { createSecureContext, TLSSocket } from 'node:tls'

/** A mail as a server was handed it. */
export interface ReceivedMail {
  from: string
  to: string[]
  /** Headers and body, as sent. */
  data: string
  /** Whether it came over TLS. */
  encrypted: boolean
}

/** What the played server does at a step, instead of answering well. `text` is written as it is. */
export type SmtpFault = { text: string } | 'hang' | 'reset' | 'endless line' | 'endless answer' | 'drip'

export interface SmtpServer {
  url: string
  mails: ReceivedMail[]
  /** Every line that the client sent before its data. */
  commands: string[]
  /** By the first word of a command, `greeting`, or `data` for the end of a mail. */
  faults: Map<string, SmtpFault>
}

/** A mail server on localhost. @param options.certificate it offers STARTTLS. @param options.auth it offers AUTH. */
export async function startSmtpServer(
  options: { certificate?: { key: string; cert: string }; auth?: true } = {},
): Promise<SmtpServer> {
  const played: SmtpServer = { url: '', mails: [], commands: [], faults: new Map() }
  const sockets = new Set<Socket>()
  const server = createServer(socket => {
    sockets.add(socket)
    socket.on('error', () => undefined)
    serve(socket, played, options, false)
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  played.url = `127.0.0.1:${(server.address() as { port: number }).port}`
  after(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  return played
}

function serve(
  socket: Socket,
  played: SmtpServer,
  options: { certificate?: { key: string; cert: string }; auth?: true },
  encrypted: boolean,
): void {
  let buffered = ''
  let mail: ReceivedMail | null = null
  let isData = false
  const answer = (step: string, text: string) => {
    const fault = played.faults.get(step)
    if (fault === undefined) socket.write(text)
    else misbehave(socket, fault)
  }
  const onLine = (line: string) => {
    played.commands.push(line)
    const [verb = ''] = line.toUpperCase().split(/[ :]/)
    const address = /<(.*)>/.exec(line)?.[1] ?? ''
    if (verb === 'EHLO') {
      const offers = [
        ...(options.certificate && !encrypted ? ['STARTTLS'] : []),
        ...(options.auth ? ['AUTH PLAIN'] : []),
      ]
      answer(
        verb,
        [...['played', ...offers].map(offer => `250-${offer}`), '250 8BITMIME'].join('\r\n').concat('\r\n'),
      )
    } else if (verb === 'STARTTLS') {
      socket.write('220 go ahead\r\n')
      socket.removeListener('data', onData)
      const secureContext = createSecureContext(options.certificate!)
      const secure = new TLSSocket(socket, { isServer: true, secureContext })
      secure.on('error', () => undefined)
      serve(secure, played, options, true)
    } else if (verb === 'AUTH') answer(verb, '235 welcome\r\n')
    else if (verb === 'MAIL') {
      mail = { from: address, to: [], data: '', encrypted }
      answer(verb, '250 ok\r\n')
    } else if (verb === 'RCPT') {
      mail?.to.push(address)
      answer(verb, '250 ok\r\n')
    } else if (verb === 'DATA') {
      isData = true
      answer(verb, '354 go ahead\r\n')
    } else answer(verb, verb === 'QUIT' ? '221 bye\r\n' : '250 ok\r\n')
  }
  const onData = (chunk: Buffer) => {
    buffered += chunk.toString('latin1')
    for (;;) {
      const end = isData ? buffered.indexOf('\r\n.\r\n') : buffered.indexOf('\r\n')
      if (end < 0) return
      const text = buffered.slice(0, end)
      buffered = buffered.slice(end + (isData ? 5 : 2))
      if (!isData) onLine(text)
      else {
        isData = false
        if (mail) played.mails.push({ ...mail, data: text.replace(/^\.\./gm, '.') })
        answer('data', '250 taken\r\n')
      }
    }
  }
  socket.on('data', onData)
  if (!encrypted) answer('greeting', '220 played\r\n')
}

function misbehave(socket: Socket, fault: SmtpFault): void {
  if (typeof fault === 'object') socket.write(fault.text)
  else if (fault === 'reset') socket.resetAndDestroy()
  else if (fault === 'endless line') pour(socket, 'x'.repeat(64 * 1024))
  else if (fault === 'endless answer') pour(socket, '250-more and more\r\n'.repeat(4_000))
  else if (fault === 'drip') {
    const dripping = setInterval(() => socket.write('2'), 20)
    socket.on('close', () => clearInterval(dripping))
  }
}

/** As fast as it is read, without end. */
function pour(socket: Socket, text: string): void {
  const more = () => {
    while (!socket.destroyed && socket.write(text));
  }
  socket.on('drain', more)
  more()
}

/** A self-signed certificate for 127.0.0.1. */
export function selfSigned(): { key: string; cert: string } {
  const folder = mkdtempSync(join(tmpdir(), 'recharge-gateway-'))
  const [key, cert] = [join(folder, 'key.pem'), join(folder, 'cert.pem')]
  const made = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-keyout', key]
  const about = ['-subj', '/CN=mail', '-addext', 'subjectAltName=IP:127.0.0.1', '-days', '2']
  execFileSync('openssl', ['req', '-x509', ...made, '-out', cert, ...about], { stdio: 'pipe' })
  const read = { key: readFileSync(key, 'utf8'), cert: readFileSync(cert, 'utf8') }
  rmSync(folder, { recursive: true, force: true })
  return read
}
