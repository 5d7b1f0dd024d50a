/** @jsxRuntime automatic @jsxImportSource preact */
import type { ListedPasskey } from '../../../people/passkey-store.ts'
import { Table } from '../parts/list-parts.tsx'
import { href, type Page, wordsOf } from '../parts/page.ts'
import { Time } from '../parts/value-parts.tsx'
import { accountWords } from './account-words.ts'

/** A person's passkeys, each with the page where it is renamed or removed. */
export function OwnPasskeys({ page, passkeys }: { page: Page; passkeys: readonly ListedPasskey[] }) {
  const words = wordsOf(page, accountWords)
  return (
    <Table
      {...{ caption: words.passkeys, rows: passkeys, empty: words.passkeysNone }}
      columns={[
        {
          head: words.passkeyName,
          cell: ({ id, name }) => <a href={href(page, `/account/passkeys/${id}`)}>{name}</a>,
        },
        { head: words.added, cell: ({ createdAt }) => <Time at={createdAt} /> },
        { head: words.lastUsed, cell: ({ lastUsedAt }) => <Time at={lastUsedAt} /> },
      ]}
    />
  )
}
