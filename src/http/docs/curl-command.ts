import type { SignedParameters } from '../../merchants/signature.ts'
import type { Endpoint } from '../../requests/endpoint.ts'

/**
 * Writes a request as a curl command, in Markdown.
 * @param base the API's URL, as a shell reads it.
 * @param parameters with their sign.
 */
export function curlOf(base: string, { name }: Endpoint, parameters: SignedParameters): string {
  // Its encoding leaves no quote to escape.
  const form = new URLSearchParams(parameters)
  return `\`\`\`sh\ncurl ${base}/api/merchant/${name} -d '${form}'\n\`\`\``
}
