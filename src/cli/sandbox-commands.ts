import type { Command } from 'commander'
import { UsageError } from '../base/errors.ts'
import { createLog } from '../base/log.ts'

export function addSandboxCommands(program: Command): void {
  program
    .command('sandbox')
    .description('run the simulated TRON node alone, with its control API')
    .option('--host <address>', 'address to listen on', '127.0.0.1')
    .option('--port <port>', 'port to listen on', '8090')
    .option('--grpc-port <port>', 'port to listen on for gRPC; 0: any free one, which the log names', '0')
    .option('--block-interval <ms>', 'milliseconds from block to block', '3000')
    .option('--solidification-depth <blocks>', 'blocks behind the head at which a block is solidified', '19')
    .option('--solidified-by <rule>', 'depth; or producers: when 19 of 27 have built on a block', 'depth')
    .option('--producers <count>', 'how many producers take turns', '27')
    .option(
      '--maintenance-every <blocks>',
      'replaces two of the producers after so many blocks; 0: never',
      '0',
    )
    .option(
      '--unknown-fields <percent>',
      'transactions whose results have a field that JSON does not show',
      '0',
    )
    .option('--genesis-seed <text>', 'the same seed makes the same genesis block; default: random')
    .action(
      async (
        options: Record<
          | 'host'
          | 'port'
          | 'grpcPort'
          | 'blockInterval'
          | 'solidificationDepth'
          | 'solidifiedBy'
          | 'producers'
          | 'maintenanceEvery'
          | 'unknownFields'
          | 'genesisSeed',
          string
        >,
      ) => {
        // Loaded only here: the sandbox needs tronweb, which no production process does.
        const { startSandboxNode } = await import('../sandbox/sandbox-node.ts')
        const node = await startSandboxNode({
          host: options.host,
          port: wholeNumber('--port', options.port),
          grpcPort: wholeNumber('--grpc-port', options.grpcPort),
          blockIntervalMs: wholeNumber('--block-interval', options.blockInterval),
          solidificationDepth: wholeNumber('--solidification-depth', options.solidificationDepth),
          solidifiedBy: solidificationRule(options.solidifiedBy),
          producers: wholeNumber('--producers', options.producers),
          maintenance: maintenanceAfter(wholeNumber('--maintenance-every', options.maintenanceEvery)),
          unknownFields: wholeNumber('--unknown-fields', options.unknownFields) / 100,
          genesisSeed: options.genesisSeed,
          log: createLog('info', 'sandbox'),
        })
        await stopAsked()
        await node.close()
      },
    )
}

function solidificationRule(text: string): 'depth' | 'producers' {
  if (text === 'depth' || text === 'producers') return text
  throw new UsageError([`--solidified-by must be depth or producers, got ${text}`])
}

function maintenanceAfter(everyBlocks: number) {
  return everyBlocks === 0 ? undefined : { everyBlocks, replace: 2, newKeys: 1 }
}

function stopAsked(): Promise<void> {
  return new Promise(resolve => {
    for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => resolve())
  })
}

function wholeNumber(option: string, text: string): number {
  if (!/^\d{1,9}$/.test(text)) throw new UsageError(`${option}: a whole number, got "${text}"`)
  return Number.parseInt(text, 10)
}
