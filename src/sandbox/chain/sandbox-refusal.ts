/** Something the sandbox was asked for and cannot do, in a sentence for whoever asked. */
export class SandboxRefusal extends Error {
  readonly statusCode = 400

  constructor(message: string) {
    super(message)
    this.name = 'SandboxRefusal'
  }
}
