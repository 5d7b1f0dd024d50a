import { GatewayError } from '../../../base/errors.ts'
import { readMerchantLogo } from '../../../merchants/read-settings.ts'
import { merchantOf } from '../parts/page.ts'
import type { ConsoleRoute } from '../parts/route.ts'
import { saveCallbacks, showCallbackForm } from './callbacks-form.tsx'
import { createKey, createSecret, promote, retire, retireSecret, showKeys } from './key-pages.tsx'
import { logoFormMax, saveLooks, showLooksForm } from './looks-form.tsx'
import { saveRequests, showRequestForm } from './requests-form.tsx'
import { showSettings } from './settings-page.tsx'
import { cancelUrl, saveUrl, showUrlForm } from './url-form.tsx'

const confirm = true as const

export const settingsRoutes: readonly ConsoleRoute[] = [
  { method: 'GET', path: '/settings', who: 'see', handle: showSettings },
  { method: 'GET', path: '/settings/url', who: 'keys', confirm, handle: page => showUrlForm(page) },
  { method: 'POST', path: '/settings/url', who: 'keys', confirm, handle: saveUrl },
  // What only owners may. It asks for nothing again: whoever cancels undoes what somebody else did.
  { method: 'POST', path: '/settings/url/cancel', who: 'people', handle: cancelUrl },
  { method: 'GET', path: '/settings/callbacks', who: 'settings', handle: page => showCallbackForm(page) },
  { method: 'POST', path: '/settings/callbacks', who: 'settings', handle: saveCallbacks },
  // Whose requests are accepted, and where payers are sent.
  {
    method: 'GET',
    path: '/settings/requests',
    who: 'settings',
    confirm,
    handle: page => showRequestForm(page),
  },
  { method: 'POST', path: '/settings/requests', who: 'settings', confirm, handle: saveRequests },
  { method: 'GET', path: '/settings/looks', who: 'settings', confirm, handle: page => showLooksForm(page) },
  {
    method: 'POST',
    path: '/settings/looks',
    who: 'settings',
    confirm,
    bodyLimit: logoFormMax,
    handle: saveLooks,
  },
  {
    method: 'GET',
    // Named as a file, for whoever saves it.
    path: '/settings/logo/:file',
    who: 'see',
    handle: async page => {
      const logo = await readMerchantLogo(page.context.reads, merchantOf(page).id)
      if (!logo) throw new GatewayError('not_found', 'this merchant has no logo')
      return logo
    },
  },
  { method: 'GET', path: '/settings/keys', who: 'keys', confirm, handle: showKeys },
  { method: 'POST', path: '/settings/keys', who: 'keys', confirm, handle: createKey },
  { method: 'POST', path: '/settings/keys/:id/promote', who: 'keys', confirm, handle: promote },
  { method: 'POST', path: '/settings/keys/:id/retire', who: 'keys', confirm, handle: retire },
  { method: 'POST', path: '/settings/secrets', who: 'keys', confirm, handle: createSecret },
  { method: 'POST', path: '/settings/secrets/:id/retire', who: 'keys', confirm, handle: retireSecret },
]
