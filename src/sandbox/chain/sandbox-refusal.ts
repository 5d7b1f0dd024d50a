/** A request that the sandbox cannot fulfil. The message tells the caller why. */
export class SandboxRefusal extends Error {
  readonly statusCode = 400

  constructor(message: string) {
    super(message)
    this.name = 'SandboxRefusal'
  }
}
