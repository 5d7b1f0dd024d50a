// @ts-check
// The console's module. Every page works without it: it only makes some things easier.

document.documentElement.classList.add('scripted')

const two = (/** @type {number} */ n) => String(n).padStart(2, '0')

for (const time of document.querySelectorAll('time[data-local]')) {
  const at = new Date(time.getAttribute('datetime') ?? '')
  const day = `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())}`
  const clock = `${two(at.getHours())}:${two(at.getMinutes())}:${two(at.getSeconds())}`
  time.textContent = `${day} ${clock}`
}

document.addEventListener('click', event => {
  const target = /** @type {Element} */ (event.target)
  const button = target.closest('[data-copy]')
  if (!button) return
  const was = button.textContent
  navigator.clipboard?.writeText(button.getAttribute('data-copy') ?? '').then(() => {
    button.textContent = button.getAttribute('data-copied')
    setTimeout(() => {
      button.textContent = was
    }, 2_000)
  })
})

document.addEventListener('submit', event => {
  const form = /** @type {HTMLFormElement} */ (event.target)
  if (form.hasAttribute('data-passkey')) {
    event.preventDefault()
    sign(form)
    return
  }
  const question = form.getAttribute('data-ask')
  if (question && !confirm(question)) {
    event.preventDefault()
    return
  }
  // Sent twice it would be harmless, but not pleasant. After a download the page stays, so only forms that change something.
  if (form.method === 'post') {
    setTimeout(() => {
      for (const button of form.querySelectorAll('button')) button.disabled = true
    })
  }
})

// The page comes back out of the browser's memory.
addEventListener('pageshow', () => {
  for (const button of document.querySelectorAll('form button:disabled')) {
    if (button instanceof HTMLButtonElement && !button.hasAttribute('data-off')) button.disabled = false
  }
})

document.addEventListener('keydown', event => {
  const target = /** @type {Element} */ (event.target)
  if (event.key !== '/' || event.ctrlKey || event.metaKey || event.altKey) return
  if (target.closest('input, textarea, select')) return
  const search = document.querySelector('#search')
  if (!(search instanceof HTMLInputElement)) return
  event.preventDefault()
  search.focus()
  search.select()
})

/**
 * Has an authenticator sign what the server gives, and sends it with the form's fields.
 * @param {HTMLFormElement} form
 */
async function sign(form) {
  const said = form.querySelector('[data-failed]')
  const button = form.querySelector('button')
  if (said) said.textContent = ''
  if (button) button.disabled = true
  try {
    const publicKey = await sendJson(form, form.dataset.options ?? '', {})
    const credential =
      form.dataset.passkey === 'create'
        ? await navigator.credentials.create({
            publicKey: PublicKeyCredential.parseCreationOptionsFromJSON(publicKey),
          })
        : await navigator.credentials.get({
            publicKey: PublicKeyCredential.parseRequestOptionsFromJSON(publicKey),
          })
    const response = /** @type {PublicKeyCredential} */ (credential).toJSON()
    await sendJson(form, form.action, { ...Object.fromEntries(new FormData(form)), response })
  } catch (error) {
    // Also when the person said no, or the browser has no passkeys.
    if (said)
      said.textContent = (error instanceof Refused && error.message) || said.getAttribute('data-failed')
    if (button) button.disabled = false
  }
}

class Refused extends Error {}

/**
 * @param {HTMLFormElement} form whose hidden field shows that it is ours
 * @param {string} url
 * @param {object} body
 */
async function sendJson(form, url, body) {
  const token = form.querySelector('[name=_csrf]')
  const response = await fetch(url, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      'x-csrf-token': token instanceof HTMLInputElement ? token.value : '',
    },
    body: JSON.stringify(body),
    redirect: 'manual',
  })
  // Signed out meanwhile, or the second factor is asked for again: the page says so.
  if (response.type === 'opaqueredirect' || response.status === 403) return away(location.href)
  const answer = await response.json().catch(() => ({}))
  if (answer.goTo) return away(answer.goTo)
  if (!response.ok) throw new Refused(answer.problem ?? '')
  return answer
}

/**
 * @param {string} url
 * @returns {Promise<never>} nothing goes on: the page is left.
 */
function away(url) {
  location.assign(url)
  return new Promise(() => {})
}
