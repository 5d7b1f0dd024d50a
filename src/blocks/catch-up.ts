import type { Clock } from '../base/clock.ts'
import type { Logger } from '../base/log.ts'
import { Gauge, type Registry } from '../base/metrics.ts'

/** How often progress is logged. */
const lineEveryMs = 5_000

/**
 * Reports progress while catching up: a log line every few seconds and one at the end, and the same as metrics.
 * @returns a function to be called after each commit, with its number of blocks and how many remain.
 */
export function createCatchUp(
  registry: Registry,
  clock: Clock,
  log: Logger,
): (committed: number, behind: number, height: number) => void {
  const registers = [registry]
  const behindGauge = new Gauge({
    name: 'gateway_blocks_behind',
    help: 'Blocks that remain while catching up',
    registers,
  })
  const rateGauge = new Gauge({
    name: 'gateway_catch_up_blocks_per_second',
    help: '0 when not catching up',
    registers,
  })
  let since: { at: number; blocks: number; loggedAt: number } | null = null
  return (committed, behind, height) => {
    behindGauge.set(behind)
    const now = clock.now().getTime()
    // One block at a time is following, not catching up.
    if (!since && behind === 0) return
    since ??= { at: now, blocks: 0, loggedAt: now }
    since.blocks += committed
    const seconds = Math.max(now - since.at, 1) / 1_000
    const blocksPerSecond = Math.round((since.blocks / seconds) * 10) / 10
    rateGauge.set(behind === 0 ? 0 : blocksPerSecond)
    const line = {
      height,
      blocks: since.blocks,
      behind,
      blocksPerSecond,
      secondsLeft: Math.round(behind / blocksPerSecond),
    }
    if (behind === 0) {
      log.info(
        { height, blocks: since.blocks, blocksPerSecond, seconds: Math.round(seconds) },
        'catch_up.done',
      )
      since = null
    } else if (now - since.loggedAt >= lineEveryMs) {
      since.loggedAt = now
      log.info(line, 'catch_up.progress')
    }
  }
}
