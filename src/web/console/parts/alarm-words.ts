import { type AlarmName, firstSteps, meanings } from '../../../alarms/alarm.ts'

/** What each alarm means and what to do first. The English is what messages say. */
export interface AlarmWords {
  meanings: Record<AlarmName, string>
  firstSteps: Record<AlarmName, string>
}

const zh: AlarmWords = {
  meanings: {
    lag: 'watcher 落后于链：付款入账会延迟。',
    no_transfers: '连续多个区块没有 USDT 转账：节点遗漏了内容。',
    unlinked: '某个区块与我们记录的上一区块不相连：在相连之前不会入账。',
    uncounted: '已有五分钟无法统计固化区块：目前采信某个节点的说法。',
    parked: '有区块没有节点能提供，已暂时跳过：能读到后会补入账。',
    disagreement: '两个节点在同一高度给出了不同的区块。',
    quarantine: '有内容无法解析或入账，等待处理。',
    held: '大额付款等待第二个节点确认已超过一分钟。',
    unproven: '付款等待证明，或有区块未经验证，已超过一分钟。',
    discrepancy: '第二数据源与我们的记录不一致，尚无人确认。',
    contract: 'USDT 合约发生变更，尚无人确认。',
    clock: '数据库、进程与链的时间不一致。',
    addresses: '故障切换后地址可能丢失：不再分配新地址。',
    callbacks_late: '回调到期已十分钟且未被熔断：courier 停止或过载，或对方响应过慢。',
    callbacks_exhausted: '过去一天有回调被放弃：商户未确认。',
    endpoints: '商户的回调地址已失败超过一小时。',
    chores: 'watcher 的附带任务已失败五分钟。',
    watcher: '没有 watcher 在工作：付款不会入账。',
    queue: '某个 courier 无法连接数据库或队列：不发送回调。',
    database: '无法连接数据库。',
  },
  firstSteps: {
    lag: '检查节点；在 TRON_NODES 中加入其他节点并重启 watcher',
    no_transfers: '更换节点，然后对此后的区块执行 `gateway rescan`',
    unlinked: '更换节点；若所有节点都如此，执行 `gateway chain rewind`',
    uncounted: '节点是否在正确的网络上？`gateway chain producers`',
    parked: '在 TRON_NODES 中加入其他节点并重启 watcher',
    disagreement: '用区块浏览器确认哪个节点有误，并将其移除',
    quarantine: '`gateway quarantine list`',
    held: '`gateway held list`；第二个节点是否正常？',
    unproven: '`gateway held list`；在 TRON_NODES 中加入第二个主机',
    discrepancy: 'select * from report.discrepancies；与区块浏览器核对',
    contract: '`gateway contract list`',
    clock: '用 NTP 校准时钟，数据库服务器也要',
    addresses: '见 docs/backup.md 的 “Failover”',
    callbacks_late: '启动更多 courier；`gateway callbacks list`',
    callbacks_exhausted: '`gateway callbacks list --state exhausted`，然后重发',
    endpoints: '通知商户：其回调地址失败',
    chores: '在 watcher 的日志中查找 chore.failed',
    watcher: '`gateway start watcher`',
    queue: 'courier 能否连接数据库和 REDIS_URL？',
    database: '数据库是否运行，DATABASE_URL 是否正确？',
  },
}

export const alarmWords: Record<'en' | 'zh', AlarmWords> = { en: { meanings, firstSteps }, zh }
