import type { StatusWarning } from '../../../credits/read-status.ts'
import { type Page, wordsOf } from './page.ts'
import { durationText } from './value-parts.tsx'

type WarningWords = Record<Exclude<StatusWarning['kind'], 'silent'>, string> & {
  silent: (time: string) => string
}

const en: WarningWords = {
  unreported: 'No watcher has reported its nodes yet.',
  silent: time => `No watcher has reported its nodes for ${time}: what is shown of them is that old.`,
  single_source:
    'The only node host is asked over HTTP: payments above CREDIT_ALONE_AMOUNT may wait. Add a node of another operator to TRON_NODES, or a gRPC URL (grpc://host:50051).',
}

const zh: WarningWords = {
  unreported: '还没有 watcher 报告过节点。',
  silent: time => `已有 ${time} 没有 watcher 报告节点：所显示的节点状态就是那时的。`,
  single_source:
    '唯一的节点主机以 HTTP 方式查询：超过 CREDIT_ALONE_AMOUNT 的付款可能需要等待。请在 TRON_NODES 中加入另一运营方的节点，或 gRPC 地址 (grpc://host:50051)。',
}

const warningWords = { en, zh }

/** Says a warning of the status in the page's language. @param reportedAt of the status. */
export function statusWarning(page: Page, kind: StatusWarning['kind'], reportedAt: string | null): string {
  const words = wordsOf(page, warningWords)
  if (kind !== 'silent') return words[kind]
  return words.silent(durationText(page.now.getTime() - new Date(reportedAt ?? 0).getTime()))
}
