import { GatewayError } from '../../base/errors.ts'
import { noParameters, type Parameters, setParameter } from './parameters.ts'

/**
 * Reads a body of `application/x-www-form-urlencoded` in UTF-8.
 * @throws GatewayError bad_request for malformed escapes, names given twice and names that are not allowed.
 */
export function readFormParameters(text: string): Parameters {
  const parameters = noParameters()
  // A line break behind the form is that of a file or of a shell. One that is meant is encoded.
  for (const pair of text.replace(/[\r\n]+$/, '').split('&')) {
    // Some clients write & after every pair, also after the last one.
    if (pair === '') continue
    const equals = pair.indexOf('=')
    const name = equals < 0 ? pair : pair.slice(0, equals)
    setParameter(parameters, decode(name), equals < 0 ? '' : decode(pair.slice(equals + 1)))
  }
  return parameters
}

function decode(text: string): string {
  if (!/[%+]/.test(text)) return text
  try {
    return decodeURIComponent(text.replaceAll('+', ' '))
  } catch (cause) {
    throw new GatewayError('bad_request', 'body: a malformed percent escape', { cause })
  }
}
