import { collectDefaultMetrics, Gauge, Registry } from 'prom-client'
import { productVersion } from './version.ts'

export { Counter, Gauge, Histogram, type Registry } from 'prom-client'

/** Creates the process's registry, with Node's own metrics. Each room defines its metrics on the registry it is given. */
export function createMetrics(): Registry {
  const registry = new Registry()
  collectDefaultMetrics({ register: registry })
  const build = new Gauge({
    name: 'gateway_build_info',
    help: '1, with the version that runs, and that of Node',
    labelNames: ['version', 'node'] as const,
    registers: [registry],
  })
  build.set({ version: productVersion(), node: process.versions.node }, 1)
  return registry
}
