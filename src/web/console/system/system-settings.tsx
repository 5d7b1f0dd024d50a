/** @jsxRuntime automatic @jsxImportSource preact */
import { hostname } from 'node:os'
import type { SettingInForce } from '../../../base/config.ts'
import { settingOf } from '../../../base/settings.ts'
import { Table } from '../parts/list-parts.tsx'
import type { SystemWords } from './system-words.ts'

/** The settings of this process, as far as they can hold no secret. */
export function Settings(props: { words: SystemWords; settings: readonly SettingInForce[] }) {
  const { words, settings } = props
  const set = settings.filter(({ from }) => from !== 'not set')
  const notSet = settings.filter(({ from }) => from === 'not set')
  const shown = ({ name, shown }: SettingInForce) => {
    if (shown === '') return <span class="quiet">–</span>
    if (shown === null) return <span class="quiet">{words.hidden}</span>
    return (
      <>
        <span class="mono id">{shown}</span>{' '}
        {settingOf[name].secret && <span class="quiet">({words.hostsOnly})</span>}
      </>
    )
  }
  return (
    <>
      <p class="quiet">{words.ofThisProcess(`${hostname()} ${process.pid}`)}</p>
      <Table
        caption={words.settings}
        columns={[
          { head: words.setting, cell: ({ name }) => <code>{name}</code> },
          { head: words.value, cell: shown },
          { head: words.from, cell: ({ from }) => words.sources[from] },
        ]}
        rows={set}
        empty="–"
      />
      {notSet.length > 0 && (
        <p class="after">
          {words.notSet}
          {notSet.map(({ name }) => (
            <span key={name}>
              {' '}
              <code>{name}</code>
            </span>
          ))}
        </p>
      )}
    </>
  )
}
