import type { CallbackState } from '../../../callbacks/outbox/callback.ts'
import type { AttemptReason } from './why-attempt.ts'

const states: Record<CallbackState, string> = {
  due: 'due',
  in_flight: 'in flight',
  held: 'held',
  delivered: 'delivered',
  exhausted: 'exhausted',
}

const reasons: Record<AttemptReason, string> = {
  acknowledged: 'It counts as delivered: a 2xx status, with the acknowledgement word if one is set.',
  redirect: 'It does not count: redirects are not followed. Set the URL that it leads to.',
  gone: 'It does not count. By 410 the endpoint says that it will never take it, so there are no more attempts.',
  too_many:
    'It does not count: the endpoint says that it was asked too much (429). It is sent less at once for a while.',
  server_error: 'It does not count: the endpoint failed (5xx).',
  not_2xx: 'It does not count: only a 2xx status acknowledges.',
  wrong_word:
    'It does not count: the status is a 2xx, but the answer is not the acknowledgement word that is set.',
  incomplete: 'It does not count: the answer began, and then broke off or took too long.',
  no_url: 'Nothing was sent: neither the order nor the merchant has a URL.',
  no_key: 'Nothing was sent: the merchant has no promoted key to sign with.',
  blocked: 'Nothing was sent: callbacks may not go to this URL, or to the address that its name leads to.',
  dns: 'The name of the endpoint could not be resolved.',
  connect: 'The endpoint accepted no connection.',
  tls: 'There was no trusted TLS connection: check the certificate, its chain, name and dates.',
  reset: 'The connection broke off before an answer.',
  bad_answer: 'The answer was not valid HTTP.',
  timeout: 'There was no complete answer in time (10 seconds).',
  network: 'The network failed.',
}

const en = {
  states,
  failing: 'failing',
  reasons,
  attempt: (number: number) => `Attempt ${number}`,
  status: 'Status',
  noStatus: 'no answer',
  duration: 'Duration',
  url: 'URL',
  noUrl: 'none',
  answer: 'Answer',
  answerStart: 'Answer (its beginning)',
  emptyAnswer: 'The answer was empty.',
  wholeAnswer: 'The first 2 KiB of it',
  delivered: 'The callback is delivered.',
  staysDelivered: 'It was delivered before. A resend is one attempt, so nothing follows.',
  gone: 'The callback is exhausted: no more attempts after a 410.',
  noAttemptsLeft: 'The callback is exhausted: this was the last attempt of the schedule.',
  retry: (wait: string) => `The next attempt was set ${wait} later, by the schedule:`,
  retryAfter: (wait: string) =>
    `The next attempt was set ${wait} later, as the endpoint asked by Retry-After:`,
  step: (step: number, of: number) => `${step} of ${of} in the schedule`,
  next: {
    in_flight: 'It is being sent now.',
    merchant_disabled: 'It waits until the merchant is enabled.',
    scheduled: 'The next attempt is scheduled for',
    circuit_open:
      'Its endpoint fails, so one callback at a time is sent as a probe. The next probe is due at',
    lane_full:
      'As many callbacks as its endpoint may get at once are in flight. It follows when one of them ends.',
    soon: 'It is due. A courier takes it next.',
  },
  nextTitle: 'What comes next',
  nothingNext: {
    delivered: 'It is delivered. Nothing is owed.',
    exhausted: 'It was given up. Send it again when the endpoint works.',
  },
}

export type AttemptWords = typeof en

const zh: AttemptWords = {
  states: { due: '待发送', in_flight: '发送中', held: '暂停', delivered: '已送达', exhausted: '已放弃' },
  failing: '重试中',
  reasons: {
    acknowledged: '算作送达：状态码为 2xx，且在设置了应答词时返回了该词。',
    redirect: '不算送达：不会跟随重定向。请直接设置最终的 URL。',
    gone: '不算送达。410 表示对方永远不会接收，因此不再尝试。',
    too_many: '不算送达：对方表示请求过多（429）。一段时间内会减少同时发送的数量。',
    server_error: '不算送达：对方服务器出错（5xx）。',
    not_2xx: '不算送达：只有 2xx 状态码才算确认。',
    wrong_word: '不算送达：状态码是 2xx，但返回内容不是设置的应答词。',
    incomplete: '不算送达：对方开始应答，但中途断开或耗时过长。',
    no_url: '没有发送：订单和商户都没有设置 URL。',
    no_key: '没有发送：商户没有可用于签名的启用密钥。',
    blocked: '没有发送：回调不允许发往该 URL，或其域名解析到的地址。',
    dns: '无法解析对方的域名。',
    connect: '对方不接受连接。',
    tls: '没有建立可信的 TLS 连接：请检查证书、证书链、域名和有效期。',
    reset: '连接在应答之前断开。',
    bad_answer: '返回的不是有效的 HTTP。',
    timeout: '没有在 10 秒内收到完整应答。',
    network: '网络故障。',
  },
  attempt: number => `第 ${number} 次尝试`,
  status: '状态码',
  noStatus: '无应答',
  duration: '耗时',
  url: 'URL',
  noUrl: '无',
  answer: '返回内容',
  answerStart: '返回内容（开头）',
  emptyAnswer: '返回内容为空。',
  wholeAnswer: '查看前 2 KiB',
  delivered: '回调已送达。',
  staysDelivered: '此前已送达。重发只尝试一次，之后不再发送。',
  gone: '回调已放弃：收到 410 后不再尝试。',
  noAttemptsLeft: '回调已放弃：这是计划中的最后一次尝试。',
  retry: wait => `按计划在 ${wait} 后再次尝试：`,
  retryAfter: wait => `按对方 Retry-After 的要求，在 ${wait} 后再次尝试：`,
  step: (step, of) => `计划中的第 ${step} 次，共 ${of} 次`,
  next: {
    in_flight: '正在发送。',
    merchant_disabled: '等待商户重新启用。',
    scheduled: '下一次尝试时间：',
    circuit_open: '对方出现故障，因此一次只发送一条回调作为探测。下一次探测时间：',
    lane_full: '发往对方的回调已达到同时发送的上限，有一条结束后就会发送。',
    soon: '已到时间，马上发送。',
  },
  nextTitle: '接下来',
  nothingNext: { delivered: '已送达，不再发送。', exhausted: '已放弃。对方恢复后请重发。' },
}

export const attemptWords = { en, zh }
