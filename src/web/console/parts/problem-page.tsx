/** @jsxRuntime automatic @jsxImportSource preact */
import { UsageError } from '../../../base/errors.ts'
import { commonWords } from './common-words.ts'
import { consolePath, href, type Page, refererOf } from './page.ts'
import type { ShownPage } from './route.ts'

export type ProblemKind = 'notFound' | 'expired' | 'tooMany' | 'slow' | 'database' | 'refused' | 'unavailable'

const statusOf: Record<ProblemKind, number> = {
  ...{ notFound: 404, expired: 403, tooMany: 429, slow: 503, database: 503, refused: 400, unavailable: 503 },
}

/** Makes the page of a request that was not answered as asked. What it says of an error is for whoever caused it. */
export function problemPage(page: Page, kind: ProblemKind, error: unknown): ShownPage & { status: number } {
  if (kind === 'expired' && isSignedOut(page)) return signedOutPage(page)
  const { problems, back } = commonWords(page)
  const title = problems[kind]
  const lines =
    kind === 'refused'
      ? error instanceof UsageError
        ? error.problems
        : [(error as Error).message]
      : [problems[`${kind}Text`]]
  return {
    status: statusOf[kind],
    title,
    body: (
      <section class="card">
        <h1>{title}</h1>
        {kind === 'refused' && problems.refusedText && <p>{problems.refusedText}</p>}
        {lines.map(line => (
          <p key={line} lang={kind === 'refused' ? 'en' : undefined}>
            {line}
          </p>
        ))}
        {kind === 'unavailable' && <p class="mono">{page.request.id}</p>}
        <p>
          <a href={href(page, '/')}>{back}</a>
        </p>
      </section>
    ),
  }
}

/** Forms that nobody needs to be signed in for; what is wrong with these is their age. */
const formsOfAnyone = /^\/(sign-in|invitation)\b/

/** Whether a form of somebody's came without their session: it ended while they filled it in. */
function isSignedOut({ viewer, request }: Page): boolean {
  return viewer === null && !formsOfAnyone.test(request.url.slice(consolePath.length))
}

function signedOutPage(page: Page): ShownPage & { status: number } {
  const { problems } = commonWords(page)
  return {
    ...{ status: statusOf.expired, title: problems.signedOut },
    body: (
      <section class="card">
        <h1>{problems.signedOut}</h1>
        <p>{problems.signedOutText}</p>
        <p>
          <a class="button" href={href(page, '/sign-in', { next: refererOf(page) })}>
            {problems.signIn}
          </a>
        </p>
      </section>
    ),
  }
}
