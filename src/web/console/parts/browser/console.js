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
