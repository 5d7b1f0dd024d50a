import { PrismaPg } from '@prisma/adapter-pg'
import { PrismaClient } from './generated/client.ts'
import type { Pool } from './pool.ts'

export type Prisma = PrismaClient

/** Prisma over the pool we have already: administration and the order queries. What moves money goes through pg. */
export function createPrisma(pool: Pool): Prisma {
  return new PrismaClient({
    errorFormat: 'minimal',
    adapter: new PrismaPg(pool, { onPoolError: () => undefined }),
  })
}
