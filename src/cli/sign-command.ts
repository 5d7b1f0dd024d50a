import { createInterface } from 'node:readline'
import { Writable } from 'node:stream'
import { type Command, Option } from 'commander'
import { UsageError } from '../base/errors.ts'
import { createLog } from '../base/log.ts'
import { pastedKey } from '../base/pasted-key.ts'
import { openMerchantDirectory } from '../merchants/merchant-directory.ts'
import { type SignatureScheme, shownText, signParameters } from '../merchants/signature.ts'
import { withDatabase } from './with-database.ts'

interface Key {
  scheme: SignatureScheme
  key: string
}

export function addSignCommand(program: Command): void {
  program
    .command('sign')
    .description('print the signed text and the sign of a request; the key comes from standard input')
    .argument('<endpoint>', 'the last segment of the path; callback for the body of a callback')
    .argument('[parameters...]', 'name=value, decoded')
    .option('--appid <appid>', "sign with this merchant's key from the database, and as this appid")
    .addOption(
      new Option(
        '--sign-type <scheme>',
        'default: hmac-sha256; with --appid that of the key which signs callbacks',
      ).choices(['hmac-sha256', 'sha1']),
    )
    .option('--json', 'print an object: sign_type, text, sign')
    .action(
      async (
        endpoint: string,
        given: string[],
        { appid, signType, json }: { appid?: string; signType?: SignatureScheme; json?: true },
      ) => {
        if (!/^[A-Za-z]+$/.test(endpoint)) throw new UsageError('the endpoint is a name such as newAddress')
        const parameters = { ...(appid !== undefined && { appid }), ...readParameters(given) }
        const { scheme, key } =
          appid === undefined
            ? { scheme: signType ?? 'hmac-sha256', key: await readKey() }
            : await keyOf(appid, signType)
        const text = shownText(scheme, endpoint, parameters)
        const sign = signParameters(scheme, endpoint, parameters, key)
        if (json) console.log(JSON.stringify({ sign_type: scheme, text, sign }))
        else console.log(`sign_type  ${scheme}\ntext       ${text}\nsign       ${sign}`)
      },
    )
}

/** Reads `name=value` arguments. @throws UsageError for one that the API would refuse. */
function readParameters(given: readonly string[]): Record<string, string> {
  const parameters: Record<string, string> = {}
  for (const [i, pair] of given.entries()) {
    const equals = pair.indexOf('=')
    const name = pair.slice(0, Math.max(equals, 0))
    // What is wrong is not quoted: it may be a key.
    if (!/^\w{1,64}$/.test(name)) throw new UsageError(`parameter ${i + 1}: must be name=value`)
    if (Object.hasOwn(parameters, name)) throw new UsageError(`${name}: given twice`)
    const value = pair.slice(equals + 1)
    if (/\p{Cc}/u.test(value)) throw new UsageError(`${name}: no control characters`)
    parameters[name] = value
  }
  return parameters
}

/** Reads the key as the first line of standard input. On a terminal it is asked for and not shown. */
async function readKey(): Promise<string> {
  const { stdin } = process
  if (stdin.isTTY) process.stderr.write('key: ')
  const nowhere = new Writable({ write: (_chunk, _encoding, done) => done() })
  const lines = createInterface({ input: stdin, output: nowhere, terminal: stdin.isTTY })
  let key = ''
  for await (const line of lines) {
    key = pastedKey(line)
    break
  }
  if (stdin.isTTY) process.stderr.write('\n')
  if (key === '') throw new UsageError('no key: give it on standard input, or use --appid')
  return key
}

/** Finds a merchant's live key: of the scheme, or else the one that signs callbacks. */
async function keyOf(appid: string, scheme: SignatureScheme | undefined): Promise<Key> {
  let found: Key | undefined
  await withDatabase('sealing', async (pool, { masterKey }) => {
    const log = createLog('silent', 'sign')
    const merchants = await openMerchantDirectory({ pool, masterKey, log })
    await merchants.close()
    const merchant = merchants.byAppid(appid)
    if (!merchant) throw new UsageError(`no merchant has the appid "${appid}"`)
    const keys = merchant.keys.filter(key => scheme === undefined || key.scheme === scheme)
    found = keys.find(key => key.promoted) ?? keys[0]
  })
  if (!found) throw new UsageError(`this merchant has no live key${scheme ? ` of ${scheme}` : ''}`)
  return found
}
