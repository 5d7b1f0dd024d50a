import { defineConfig } from 'prisma/config'

// Only `generate` and `validate` are run through Prisma's CLI; migrations are applied by `gateway migrate`.
export default defineConfig({ schema: 'prisma/schema.prisma' })
