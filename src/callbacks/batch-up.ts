/**
 * Lets calls share round trips: those made while a batch is running, or in the same turn of the event loop, go together
 * in the next.
 * @param run does a batch; answers in the order of the items. When it throws, every call of the batch does.
 * @param sizeMax items in a batch at the most.
 */
export function batchUp<Item, Answer>(
  run: (items: Item[]) => Promise<Answer[]>,
  sizeMax: number,
): (item: Item) => Promise<Answer> {
  let waiting: { item: Item; resolve: (answer: Answer) => void; reject: (error: unknown) => void }[] = []
  let running = false

  const runBatches = async () => {
    while (waiting.length > 0) {
      const batch = waiting.slice(0, sizeMax)
      waiting = waiting.slice(sizeMax)
      try {
        const answers = await run(batch.map(call => call.item))
        for (const [i, call] of batch.entries()) call.resolve(answers[i]!)
      } catch (error) {
        for (const call of batch) call.reject(error)
      }
    }
    running = false
  }

  return item =>
    new Promise((resolve, reject) => {
      waiting.push({ item, resolve, reject })
      if (running) return
      running = true
      // Not at once: the neighbours of this call are being made in this very turn.
      setImmediate(runBatches)
    })
}
