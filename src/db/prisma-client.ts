import { PrismaPg } from '@prisma/adapter-pg'
import { PrismaClient } from './generated/client.ts'
import type { Pool } from './pool.ts'

export type Prisma = PrismaClient

/** Prisma inside an open transaction. */
export type PrismaTx = Parameters<Parameters<PrismaClient['$transaction']>[0]>[0]

/** Opens Prisma on a pool, for administration and pages of orders. Everything that moves money is SQL through pg. */
export function createPrisma(pool: Pool): Prisma {
  return new PrismaClient({
    errorFormat: 'minimal',
    adapter: new PrismaPg(pool, { onPoolError: () => undefined }),
  })
}
