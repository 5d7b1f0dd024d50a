import { randomBytes } from 'node:crypto'
import type { FastifyRequest } from 'fastify'
import type { MerchantKey } from '../../merchants/merchant.ts'
import type { MerchantDirectory } from '../../merchants/merchant-directory.ts'
import { signParameters } from '../../merchants/signature.ts'
import type { Endpoint } from '../../requests/endpoint.ts'
import { parametersSchema } from '../../requests/merchant-parameters.ts'
import { exampleOf } from './api-example.ts'
import { curlOf } from './curl-command.ts'

/**
 * Makes the examples of a sandbox's page: requests of the first merchant to this very API, signed rightly for the next five
 * minutes. On a real network nobody's key may sign for a reader.
 */
export function sandboxCurls(
  merchants: MerchantDirectory,
  request: FastifyRequest,
): ((endpoint: Endpoint) => string) | undefined {
  const caller = firstCaller(merchants)
  if (!caller) return undefined
  const t = Math.floor(Date.now() / 1000).toString()
  // A reader gets the same answers in a row: the order that one example makes, the next ones find.
  const orderid = `docs-${t}`
  const base = `${request.protocol}://${/^[\w.:[\]-]+$/.test(request.host) ? request.host : 'localhost'}`
  return endpoint => {
    const parameters = {
      ...exampleFor(endpoint, orderid),
      appid: caller.appid,
      t,
      nonce: randomBytes(16).toString('hex'),
    }
    const sign = signParameters(caller.key.scheme, endpoint.name, parameters, caller.key.key)
    return `Signed for the merchant ${caller.appid} of this sandbox, for five minutes:\n\n${curlOf(base, endpoint, { ...parameters, sign })}`
  }
}

/** The required parameters, and the order's name where an endpoint is about one. */
function exampleFor(endpoint: Endpoint, orderid: string): Record<string, string> {
  const schema = parametersSchema(endpoint)
  const { sign: _, ...required } = exampleOf(schema, false) as Record<string, string>
  if ('address' in required) required.address = 'auto'
  return 'orderid' in schema.properties && endpoint.name !== 'newAddress'
    ? { ...required, orderid }
    : required
}

function firstCaller(merchants: MerchantDirectory): { appid: string; key: MerchantKey } | null {
  for (const { appid, keys, disabledAt, allowedClients } of merchants.all()) {
    const key = keys.find(({ scheme }) => scheme === 'hmac-sha256')
    if (key && !disabledAt && !allowedClients) return { appid, key }
  }
  return null
}
