import type { ConsoleRoute } from '../parts/route.ts'
import { markRoutes } from './mark-pages.tsx'
import { moneyAdminRoutes } from './money-admin-pages.tsx'
import { moneyListRoutes } from './money-list-page.tsx'
import { moneyTransferRoutes } from './money-transfer-page.tsx'

/** Money that waits for a person, and what people have noted about money. */
export const moneyRoutes: readonly ConsoleRoute[] = [
  ...moneyListRoutes,
  ...moneyTransferRoutes,
  ...markRoutes,
  ...moneyAdminRoutes,
]
