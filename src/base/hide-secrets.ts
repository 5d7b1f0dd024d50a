// What may be shown of values that hold, or may hold, a secret.

/** A value longer than this may be a key that was pasted into the wrong place: a merchant's key has 32 characters. */
const quotedMax = 24

/**
 * Quotes a wrong value for a message, if it can be no secret: short, and of characters that no password has to have.
 * @returns `got "..."`, or what can be said of the value without showing it.
 */
export function gotOf(value: string): string {
  if (value.length <= quotedMax && /^[\w.,:/ +-]*$/.test(value) && !looksPrivate(value))
    return `got "${value}"`
  return `got ${value.length} characters, not shown because they may be a secret`
}

/** Quotes a wrong network, which may be longer than other values. */
export function gotNetwork(value: string): string {
  return /^[0-9a-f.:/]{1,50}$/i.test(value) && /[.:]/.test(value) ? `got "${value}"` : gotOf(value)
}

/** Recognizes the beginning of a key whose rest may be missing. */
function looksPrivate(value: string): boolean {
  return /^(whsec_|[a-z]prv|xpub)/i.test(value)
}

/** Shows a URL by scheme, host and port. Its user, password, path and query may each hold a key. */
export function shownUrl(url: string): string {
  const parsed = URL.canParse(url) ? new URL(url) : null
  return parsed ? `${parsed.protocol}//${parsed.host}` : 'a URL that cannot be read'
}

/** Shows a URL whose path and query are no secret: as it was written, but without a user and a password. */
export function withoutPassword(url: string): string {
  const { username, password } = URL.canParse(url) ? new URL(url) : { username: '', password: '' }
  return username || password ? url.replace(/\/\/[^/?#]*@/, '//[hidden]@') : url
}

/** Schemes whose URLs are shortened in texts. Not `file`, which stacks are full of. */
const urlsInText = /\b(https?|grpcs?|wss?|smtps?|postgres(?:ql)?|rediss?):\/\/[^\s"'<>`]+/gi

/** Shortens each URL of a text as `shownUrl` does. Its length is bounded by the caller. */
export function shortenUrls(text: string): string {
  return text.replace(urlsInText, (url, scheme: string) => {
    // In a list, and at the end of a sentence, the URL ends before the punctuation.
    const bare = url.replace(/[),.;:\]}]+$/, '')
    const shown = URL.canParse(bare) ? shownUrl(bare) : `${scheme}://[hidden]`
    return shown + url.slice(bare.length)
  })
}

/** A part of a path that is shorter than this is no key. */
const keyMin = 6
const knownParts = new Set(['wallet', 'walletsolidity', 'jsonrpc', 'mainnet', 'shasta'])

/**
 * Lists what of a node's URL may be a key: user, password, each part of the path, each value of the query, as written and
 * decoded. The longest come first, so that a part is not replaced inside a longer one.
 */
export function secretsOfUrl(url: URL): string[] {
  const parts = [
    ...url.pathname.split('/').filter(part => part.length >= keyMin && !knownParts.has(part.toLowerCase())),
    ...[...url.searchParams.values()].filter(value => value.length >= keyMin),
    ...url.search
      .slice(1)
      .split(/[&=]/)
      .filter(value => value.length >= keyMin),
    url.username,
    url.password,
  ]
  return byLength(parts.flatMap(part => [part, decoded(part), encodeURIComponent(part)]))
}

/** Sorts secrets for `hideIn`; each is listed once. */
export function byLength(secrets: readonly string[]): string[] {
  return [...new Set(secrets)].filter(Boolean).sort((a, b) => b.length - a.length)
}

/**
 * Tells whether a secret is so long and mixed that data never contains it by chance, as hex may contain `123456`. Only such a
 * one may be replaced in data that is still to be read.
 */
export function isUnmistakable(secret: string): boolean {
  return secret.length >= 16 && new Set(secret).size >= 8
}

/** Replaces each of the secrets in a text. */
export function hideIn(text: string, secrets: readonly string[]): string {
  return secrets.reduce((rest, secret) => rest.replaceAll(secret, '[hidden]'), text)
}

function decoded(part: string): string {
  try {
    return decodeURIComponent(part)
  } catch {
    return part // Not an encoded text: it stands as it is.
  }
}
