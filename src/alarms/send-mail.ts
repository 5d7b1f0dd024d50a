import { createTransport } from 'nodemailer'
import type { MailServer } from '../base/config.ts'
import { printableError } from '../base/printable-error.ts'
import { isMailAddress } from '../notices/notice.ts'
import type { Sent } from './send-message.ts'

/**
 * For each step: name and connection, greeting, silence after that; and for all of one mail, since a server may answer one byte at a
 * time.
 */
const usualTiming = { stepMs: 10_000, deadlineMs: 20_000 }
/** Of one answer. Real ones have some lines. */
const answerBytesMax = 64 * 1024

export interface Mail {
  /** The left part of its Message-ID. */
  id: string
  to: string
  subject: string
  /** Plain text. */
  text: string
  date: Date
}

/**
 * Opens what sends mails. Each gets a connection of its own: they are few. A password is sent over TLS only, to a server whose certificate
 * is valid. Without a password, TLS is used if the server offers it, and its certificate is not checked: whoever could forge it could
 * as well remove the offer.
 * @param signal cuts off what is being sent.
 * @param timing for tests.
 * @returns sends a mail. It never throws. `ok`: the server has taken the mail.
 */
export function openMailer(
  server: MailServer,
  signal: AbortSignal,
  timing = usualTiming,
): (mail: Mail) => Promise<Sent> {
  const { stepMs, deadlineMs } = timing
  const { host, port, secure, user, password, from } = server
  const isChecked = secure || password !== undefined
  const transport = createTransport({
    ...{ host, port, secure },
    ...(password !== undefined && { auth: { user, pass: password }, requireTLS: !secure, forceAuth: true }),
    tls: { rejectUnauthorized: isChecked },
    ...{ connectionTimeout: stepMs, dnsTimeout: stepMs, greetingTimeout: stepMs, socketTimeout: stepMs },
    ...{ socketCloseTimeout: 1_000, maxResponseSize: answerBytesMax },
    ...{ disableFileAccess: true, disableUrlAccess: true },
  })
  return async ({ id, to, subject, text, date }) => {
    // It is an argument of an SMTP command.
    if (!isMailAddress(to)) return { ok: false, reason: 'not a mail address', retryAfterS: null }
    const deadline = AbortSignal.timeout(deadlineMs)
    try {
      await transport.sendMail({
        ...{ from: { name: '', address: from }, to: { name: '', address: to }, subject, text, date },
        // The addresses of the SMTP commands, whatever is read from the headers.
        envelope: { from, to: [to] },
        messageId: `<${id}@${from.split('@')[1]}>`,
        headers: { 'auto-submitted': 'auto-generated' },
        signal: AbortSignal.any([deadline, signal]),
      })
      return { ok: true }
    } catch (error) {
      return {
        ok: false,
        reason: deadline.aborted ? `not done within ${deadlineMs} ms` : reasonOf(error),
        retryAfterS: null,
      }
    }
  }
}

/** The kind of failure alone: messages quote what the server said, which may be anything. */
function reasonOf(error: unknown): string {
  const { code, type } = printableError(error) as { code?: unknown; type?: unknown }
  const status = (error as { responseCode?: unknown }).responseCode
  return [code ?? type ?? 'failed', ...(typeof status === 'number' ? [`status ${status}`] : [])].join(', ')
}
