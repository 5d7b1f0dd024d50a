import { accountRoutes } from './account/account-routes.tsx'
import { userAddressRoutes } from './addresses/user-address-routes.ts'
import { auditRoutes } from './audit/audit-routes.tsx'
import { callbacksRoutes } from './callbacks/callbacks-routes.tsx'
import { merchantsRoutes } from './merchants/merchants-routes.tsx'
import { moneyRoutes } from './money/money-routes.ts'
import { nodesRoutes } from './nodes/nodes-routes.tsx'
import { orderDetailRoutes } from './orders/order-detail-routes.tsx'
import { orderListRoutes } from './orders/order-list-routes.tsx'
import { overviewRoutes } from './overview/overview-routes.tsx'
import type { ConsoleRoute } from './parts/route.ts'
import { peopleRoutes } from './people/people-routes.tsx'
import { searchRoutes } from './search/search-routes.tsx'
import { settingsRoutes } from './settings/settings-routes.ts'
import { signInRoutes } from './sign-in/sign-in-routes.tsx'
import { systemRoutes } from './system/system-routes.tsx'

/** All routes of the console, each room's beside its pages. */
export function consoleRoutes(): readonly ConsoleRoute[] {
  return [
    ...signInRoutes,
    ...accountRoutes,
    ...orderListRoutes,
    ...orderDetailRoutes,
    ...callbacksRoutes,
    ...peopleRoutes,
    ...settingsRoutes,
    ...overviewRoutes(),
    ...merchantsRoutes,
    ...nodesRoutes,
    ...systemRoutes(),
    ...auditRoutes,
    ...searchRoutes,
    ...moneyRoutes,
    ...userAddressRoutes,
  ]
}
