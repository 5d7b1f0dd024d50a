import type { Effect, Heights } from './fault-effect.ts'
import type { FaultOf } from './fault-schemas.ts'

// Nodes that are behind. `view` names which of the two heights is changed; without it both are.

function moved(
  fault: { view?: 'head' | 'solid' | undefined },
  heights: Heights,
  move: (h: number) => number,
): Heights {
  return {
    head: fault.view === 'solid' ? heights.head : Math.max(0, move(heights.head)),
    solid: fault.view === 'head' ? heights.solid : Math.max(0, move(heights.solid)),
  }
}

/** Lowers the heights by so many blocks. */
export function lag(fault: FaultOf<'lag'>): Effect {
  return { heights: heights => moved(fault, heights, height => height - fault.blocks) }
}

/** Keeps the heights at their value when the fault was set. */
export function stall(fault: FaultOf<'stall'>, at: Heights): Effect {
  return {
    heights: heights => ({
      head: fault.view === 'solid' ? heights.head : Math.min(heights.head, at.head),
      solid: fault.view === 'head' ? heights.solid : Math.min(heights.solid, at.solid),
    }),
  }
}

/** Lowers the height by one more at each call, down to `blocks` below. */
export function backwards(fault: FaultOf<'backwards'>): Effect {
  let fallen = 0
  return {
    heights: heights => {
      fallen = Math.min(fallen + 1, fault.blocks)
      return moved(fault, heights, height => height - fallen)
    },
  }
}
