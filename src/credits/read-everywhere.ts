import type { SolidBlock } from '../tron/block.ts'
import type { SecondNodes } from './confirm-held.ts'

/** More hosts than anybody configures. */
const readingsMax = 20

/**
 * Reads a block from one host after the other, until enough is known or none is left.
 * @param options.last nodes that are asked last, since what they say is known.
 * @returns each reading once; empty with the error when no node could be asked.
 */
export async function readEverywhere(
  nodes: SecondNodes,
  height: number,
  options: { last: readonly string[]; enough: (readings: readonly SolidBlock[]) => boolean },
): Promise<{ readings: SolidBlock[]; failure: unknown }> {
  const readings: SolidBlock[] = []
  let failure: unknown = null
  const passes = options.last.length > 0 ? [options.last, []] : [[]]
  for (const last of passes) {
    while (readings.length < readingsMax) {
      const not = [...new Set([...readings.map(({ node }) => node), ...last])]
      const block = await nodes.solidBlock(height, { not }).catch(error => {
        failure = error
        return null
      })
      // A source that leaves no node out shows the same one again.
      if (!block || not.includes(block.node)) break
      readings.push(block)
      if (options.enough(readings)) return { readings, failure }
    }
  }
  return { readings, failure: readings.length > 0 ? null : failure }
}
