// @ts-check
// The payer's page in the browser: shows changes as they come, copies, counts down, asks a wallet. The page is complete
// without it. It runs as it is written here: no build step, nothing from other hosts.

/** @typedef {{ copied: string, offline: string, walletAsked: string, walletSent: string, walletDeclined: string,
 *   walletWrongNetwork: string, walletWrongCall: string, walletFailed: string }} Words */

const silentMs = 25_000 // The server sends an event every 15 s. Later than this, a proxy keeps them back.
const pollMs = 5_000
const failuresMax = 3
const retryStreamMs = 60_000

const live = byId('live')
/** @type {Words} */
const words = JSON.parse(live.dataset.words ?? '{}')

// --- Changes ---

/** @type {EventSource | null} */
let stream = null
let failures = 0
let heardAt = Date.now()
let pollsUntil = 0
let polledAt = Date.now()

function listen() {
  stream?.close()
  heardAt = Date.now()
  const source = new EventSource(`${live.dataset.events}&v=${encodeURIComponent(live.dataset.version ?? '')}`)
  stream = source
  const heard = () => {
    heardAt = Date.now()
    failures = 0
    pollsUntil = 0
  }
  source.addEventListener('beat', heard)
  source.addEventListener('change', event => {
    heard()
    const { version, html, title } = JSON.parse(event.data)
    show(version, html, title)
  })
  source.addEventListener('error', () => {
    if (stream !== source) return
    failures++
    if (failures >= failuresMax) poll()
    // The browser connects again by itself, unless the server refused.
    else if (source.readyState === EventSource.CLOSED) setTimeout(() => stream === source && listen(), pollMs)
  })
}

/** Gives the stream up for a minute, and asks for the page instead. */
function poll() {
  stream?.close()
  stream = null
  failures = 0
  pollsUntil = Date.now() + retryStreamMs
}

/** Once a second: is the stream silent, is the page to be asked for, may the stream be tried again? */
function watch() {
  const now = Date.now()
  if (stream && now - heardAt > silentMs) poll()
  if (stream) return
  if (now - polledAt >= pollMs && document.visibilityState === 'visible') refresh()
  if (now > pollsUntil) listen()
}

/** The page may have slept: looks at once, and connects again. */
function wake() {
  refresh()
  if (!stream || stream.readyState !== EventSource.OPEN) listen()
}

async function refresh() {
  polledAt = Date.now()
  try {
    const answer = await fetch(location.href, { cache: 'no-cache', signal: AbortSignal.timeout?.(10_000) })
    if (!answer.ok) return
    const page = new DOMParser().parseFromString(await answer.text(), 'text/html')
    const fresh = page.getElementById('live')
    if (fresh) show(fresh.dataset.version ?? '', fresh.innerHTML, page.title)
  } catch {
    // Asked again soon. While offline, the notice says so.
  }
}

/** @param {string} version @param {string} html @param {string} title */
function show(version, html, title) {
  const template = document.createElement('template')
  template.innerHTML = html
  const before = sheet()?.dataset.say
  morph(live, template.content)
  live.dataset.version = version
  document.title = title
  decorate()
  const says = sheet()?.dataset.say
  if (says && says !== before) say(says)
}

/**
 * Makes a tree like another and keeps the elements that are there already, and with them focus, selection and scroll.
 * @param {Node} from @param {Node} to
 */
function morph(from, to) {
  let old = from.firstChild
  for (const child of [...to.childNodes]) {
    let match = old
    while (match && !isAlike(match, child)) match = match.nextSibling
    if (!match) {
      from.insertBefore(child, old)
      continue
    }
    // What stood before it is gone.
    while (old && old !== match) old = removed(old)
    old = match.nextSibling
    if (match instanceof Element && child instanceof Element) {
      copyAttributes(match, child)
      morph(match, child)
    } else if (match.nodeValue !== child.nodeValue) match.nodeValue = child.nodeValue
  }
  while (old) old = removed(old)
}

/** @param {ChildNode} node @returns {ChildNode | null} the one after it. */
function removed(node) {
  const next = node.nextSibling
  node.remove()
  return next
}

/** @param {Node} a @param {Node} b */
function isAlike(a, b) {
  if (a.nodeName !== b.nodeName) return false
  if (!(a instanceof Element && b instanceof Element)) return true
  return a.id === b.id && a.classList[0] === b.classList[0]
}

/** @param {Element} from @param {Element} to */
function copyAttributes(from, to) {
  for (const { name, value } of to.attributes)
    if (from.getAttribute(name) !== value) from.setAttribute(name, value)
  for (const { name } of [...from.attributes]) {
    // What the payer has opened stays open.
    if (!to.hasAttribute(name) && name !== 'open') from.removeAttribute(name)
  }
}

// --- Time ---

let clockOffset = 0
let shownNow = ''
let askedAt = 0

/** What the server cannot write: the payer's own time, and what this browser can do. */
function decorate() {
  const now = sheet()?.dataset.now ?? ''
  // A refresh without a change brings the same page, with the time of now.
  if (now !== shownNow) clockOffset = Number(now) - Date.now() / 1000
  shownNow = now
  const today = new Date().toDateString()
  for (const time of live.querySelectorAll('time[data-local]')) {
    const date = new Date(time.getAttribute('datetime') ?? '')
    /** @type {Intl.DateTimeFormatOptions} */
    const day = date.toDateString() === today ? {} : { month: 'short', day: 'numeric' }
    const options = { ...day, hour: '2-digit', minute: '2-digit' }
    time.textContent = date.toLocaleString(document.documentElement.lang, /** @type {any} */ (options))
  }
  tick()
  showWallet()
}

function tick() {
  const shown = document.getElementById('time-left')
  const expires = sheet()?.dataset.expires
  if (!shown || !expires) return
  const left = Math.floor(Number(expires) - Date.now() / 1000 - clockOffset)
  shown.textContent = duration(Math.max(0, left))
  // The server decides that the time is over.
  if (left < 0 && Date.now() - askedAt > pollMs) {
    askedAt = Date.now()
    refresh()
  }
}

/** @param {number} seconds */
function duration(seconds) {
  const parts = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60, seconds % 60]
  return (parts[0] ? parts : parts.slice(1))
    .map((part, i) => (i ? `${part}`.padStart(2, '0') : part))
    .join(':')
}

// --- Copy ---

/** @param {Event} event */
function onClick(event) {
  const target = event.target instanceof Element ? event.target : null
  const copies = target?.closest('[data-copy]')
  if (copies instanceof HTMLElement) copy(copies)
  if (target?.closest('#wallet-pay')) payWithWallet()
}

/** @param {HTMLElement} button */
async function copy(button) {
  const text = button.dataset.copy ?? ''
  try {
    await navigator.clipboard.writeText(text)
  } catch {
    // Not on https, or not allowed: the old way, and if that fails too, the text is left selected.
    const beside = button.closest('section')?.querySelector('.address, .select')
    if (beside) getSelection()?.selectAllChildren(beside)
    const area = document.createElement('textarea')
    area.value = text
    area.className = 'unseen'
    document.body.append(area)
    area.select()
    const isCopied = document.execCommand('copy')
    area.remove()
    button.focus()
    if (!isCopied) {
      if (beside) getSelection()?.selectAllChildren(beside)
      return
    }
  }
  const label = button.querySelector('.copy-text')
  if (!label) return
  const before = label.textContent
  if (before !== words.copied) {
    label.textContent = words.copied
    setTimeout(() => {
      label.textContent = before
    }, 2000)
  }
  say(words.copied)
}

// --- Wallet ---

/** What has been sent from this page, so that a second press does not pay twice. */
let sentUnits = ''

/** @returns {any} the wallet that put itself into the page. */
function provider() {
  const page = /** @type {any} */ (window)
  return page.tron ?? page.tronLink ?? (page.tronWeb && { tronWeb: page.tronWeb })
}

/** Shows the button where a wallet is in the page, and the links on a phone without one. */
function showWallet() {
  const row = document.getElementById('wallet')
  if (!row) return
  const isHere = Boolean(provider())
  const isPhone = matchMedia('(pointer: coarse)').matches
  byId('wallet-pay').hidden = !isHere || sentUnits === row.dataset.units
  byId('wallet-links').hidden = isHere || !isPhone
  for (const link of row.querySelectorAll('a[data-wallet]')) {
    link.setAttribute('href', deepLink(link.getAttribute('data-wallet') ?? ''))
  }
  // A sentence about an earlier amount has had its time.
  tellWallet(walletSaysOf === row.dataset.units ? walletSays : '')
}

/** @param {string} wallet @returns {string} a link that opens this page in the wallet's own browser. */
function deepLink(wallet) {
  const url = location.origin + location.pathname + location.search
  const json = (/** @type {object} */ value) => encodeURIComponent(JSON.stringify(value))
  if (wallet === 'tronlink') {
    const param = { url, action: 'open', protocol: 'tronlink', version: '1.0' }
    return `tronlinkoutside://pull.activity?param=${json(param)}`
  }
  if (wallet === 'tokenpocket') {
    const params = {
      url,
      chain: 'Tron',
      blockchain: 'Tron',
      protocol: 'TokenPocket',
      version: '1.0',
      action: 'open',
    }
    return `tpdapp://open?params=${json(params)}`
  }
  return `imtokenv2://navigate/DappView?url=${encodeURIComponent(url)}`
}

let walletSays = ''
let walletSaysOf = ''

/** @param {string} text */
function tellWallet(text) {
  walletSays = text
  walletSaysOf = document.getElementById('wallet')?.dataset.units ?? ''
  const line = document.getElementById('wallet-says')
  if (!line) return
  line.textContent = text
  line.hidden = text === ''
}

async function payWithWallet() {
  const { chain = '', contract = '', address = '', units = '' } = byId('wallet').dataset
  const button = /** @type {HTMLButtonElement} */ (byId('wallet-pay'))
  if (button.disabled) return
  button.disabled = true
  let outcome = words.walletFailed
  try {
    outcome = await transfer({ chain, contract, address, units })
    if (outcome === words.walletSent) sentUnits = units
  } catch (error) {
    if (isDeclined(error)) outcome = words.walletDeclined
  }
  button.disabled = false
  tellWallet(outcome)
  say(outcome)
  showWallet()
}

/**
 * Asks the wallet for one exact transfer, and refuses whatever else it prepares.
 * @param {{ chain: string, contract: string, address: string, units: string }} order
 * @returns {Promise<string>} what to tell the payer.
 */
async function transfer({ chain, contract, address, units }) {
  const wallet = provider()
  // TIP-1102; TronLink's older name for it where there is only that.
  const method = /** @type {any} */ (window).tron ? 'eth_requestAccounts' : 'tron_requestAccounts'
  if (wallet.request) await wallet.request({ method })
  const tronWeb = wallet.tronWeb || /** @type {any} */ (window).tronWeb
  const from = tronWeb.defaultAddress?.base58
  if (!from) return words.walletDeclined
  if ((await chainOf(wallet, tronWeb)) !== chain) return words.walletWrongNetwork
  tellWallet(words.walletAsked)
  const { transaction } = await tronWeb.transactionBuilder.triggerSmartContract(
    contract,
    'transfer(address,uint256)',
    { feeLimit: 100_000_000, callValue: 0 }, // 100 TRX at most; a transfer takes a seventh of it today.
    [
      { type: 'address', value: address },
      { type: 'uint256', value: units },
    ],
    from,
  )
  const hex = (/** @type {string} */ text) => tronWeb.address.toHex(text).toLowerCase()
  const call = transaction?.raw_data?.contract?.[0]?.parameter?.value
  const data = `a9059cbb${hex(address).slice(2).padStart(64, '0')}${BigInt(units).toString(16).padStart(64, '0')}`
  const isExact =
    transaction?.raw_data?.contract?.length === 1 &&
    `${call?.contract_address}`.toLowerCase() === hex(contract) &&
    `${call?.data}`.toLowerCase() === data
  if (!isExact) return words.walletWrongCall
  const signed = await tronWeb.trx.sign(transaction)
  const sent = await tronWeb.trx.sendRawTransaction(signed)
  return sent?.result === true ? words.walletSent : words.walletFailed
}

/**
 * The network that the wallet is really on: the last four bytes of its node's genesis block. A wallet's own name for it,
 * or a part of its node's address, would be easy to take for another.
 * @param {any} wallet @param {any} tronWeb @returns {Promise<string>}
 */
async function chainOf(wallet, tronWeb) {
  if (wallet.chainId === 'sandbox') return 'sandbox'
  const { blockID } = await tronWeb.trx.getBlockByNumber(0)
  return `0x${`${blockID}`.slice(-8)}`
}

/** @param {any} error */
function isDeclined(error) {
  return error?.code === 4001 || /declin|reject|cancel|denied/i.test(`${error?.message ?? error}`)
}

// --- Page ---

/** @param {string} id @returns {HTMLElement} */
function byId(id) {
  const element = document.getElementById(id)
  if (!element) throw new Error(`no element #${id}`)
  return element
}

/** @returns {HTMLElement | null} */
function sheet() {
  return live.querySelector('.sheet')
}

/** Has a screen reader say it. @param {string} text */
function say(text) {
  byId('said').textContent = text
}

/** @param {string} text */
function notify(text) {
  const notice = byId('notice')
  notice.textContent = text
  notice.hidden = text === ''
  if (text) say(text)
}

// --- Start: last, when all that it needs is defined ---

document.documentElement.classList.add('script')
decorate()
setInterval(tick, 1000)
document.addEventListener('click', onClick)
for (const name of ['tron#initialized', 'tronLink#initialized']) addEventListener(name, showWallet)
for (const ms of [300, 1000, 3000]) setTimeout(showWallet, ms)

listen()
setInterval(watch, 1000)
addEventListener('online', () => {
  notify('')
  wake()
})
addEventListener('offline', () => notify(words.offline))
addEventListener('pageshow', event => event.persisted && wake())
document.addEventListener('visibilitychange', () => document.visibilityState === 'visible' && wake())
if (navigator.onLine === false) notify(words.offline)
