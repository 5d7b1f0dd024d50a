import type { ConsoleRoute } from '../parts/route.ts'
import { exportAddresses, listAddresses } from './address-list-page.tsx'
import { exportTransfers, showAddress } from './one-address-page.tsx'

export const userAddressRoutes: readonly ConsoleRoute[] = [
  { method: 'GET', path: '/addresses', who: 'see', handle: listAddresses },
  { method: 'GET', path: '/addresses.csv', who: 'see', handle: exportAddresses },
  { method: 'GET', path: '/addresses/:address', who: 'see', handle: showAddress },
  { method: 'GET', path: '/addresses/:address/transfers.csv', who: 'see', handle: exportTransfers },
]
