/** @jsxRuntime automatic @jsxImportSource preact */
import { commonWords } from '../parts/common-words.ts'
import { href, type Page, wordsOf } from '../parts/page.ts'
import type { ShownPage } from '../parts/route.ts'
import { peopleWords } from './people-words.ts'

/** Of a person or an invitation that is not here: somebody else was quicker, or it never was. Both get the same answer. */
export function gonePage(page: Page): ShownPage {
  const words = wordsOf(page, peopleWords)
  return {
    ...{ title: words.gone, status: 404 },
    body: (
      <section class="card">
        <h1>{words.gone}</h1>
        <p>{words.goneText}</p>
        <p>
          <a href={href(page, '/people')}>{commonWords(page).back}</a>
        </p>
      </section>
    ),
  }
}
