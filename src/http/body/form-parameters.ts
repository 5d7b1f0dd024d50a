import { GatewayError } from '../../base/errors.ts'
import { noParameters, type Parameters, setParameter } from './parameters.ts'

/**
 * Reads a body of `application/x-www-form-urlencoded` in UTF-8.
 * @throws GatewayError bad_request for malformed escapes, names given twice and names that are not allowed.
 */
export function readFormParameters(text: string): Parameters {
  const parameters = noParameters()
  for (const pair of withoutLineBreaksBehind(text).split('&')) {
    // Some clients write & after every pair, also after the last one.
    if (pair === '') continue
    const equals = pair.indexOf('=')
    const name = equals < 0 ? pair : pair.slice(0, equals)
    setParameter(parameters, decode(name), equals < 0 ? '' : decode(pair.slice(equals + 1)))
  }
  return parameters
}

/** A line break behind the form is that of a file or of a shell. One that is meant is encoded. */
function withoutLineBreaksBehind(text: string): string {
  // Not /[\r\n]+$/: it takes the square of the time where line breaks stand before something else.
  let end = text.length
  while (text[end - 1] === '\n' || text[end - 1] === '\r') end--
  return text.slice(0, end)
}

function decode(text: string): string {
  if (!/[%+]/.test(text)) return text
  try {
    return decodeURIComponent(text.replaceAll('+', ' '))
  } catch (cause) {
    throw new GatewayError('bad_request', 'body: a malformed percent escape', { cause })
  }
}
