/** @jsxRuntime automatic @jsxImportSource preact */
import type { ListedProcess } from '../../../alarms/process-store.ts'
import { Table } from '../parts/list-parts.tsx'
import { State, Time } from '../parts/value-parts.tsx'
import type { SystemWords } from './system-words.ts'

/** A gateway needs a process of each. */
const gatewayRoles = ['api', 'watcher', 'courier']

/** The processes, as each last said of itself. */
export function Processes(props: { words: SystemWords; processes: readonly ListedProcess[] }) {
  const { words, processes } = props
  const works = (role: string) =>
    processes.some(({ roles, working, isSilent }) => working && !isSilent && roles.includes(role))
  const missing = gatewayRoles.filter(role => !works(role))
  const versions = new Set(processes.filter(one => !one.isSilent).map(({ version }) => version))
  return (
    <>
      {missing.length > 0 && <p class="problem">{words.missing(missing.join(', '))}</p>}
      {versions.size > 1 && <p class="problem">{words.mixed}</p>}
      <Table
        caption={words.processes}
        columns={[
          { head: words.process, cell: ({ id }) => <span class="mono id">{id}</span> },
          { head: words.roles, cell: ({ roles }) => roles.join(', ') },
          { head: words.version, cell: ({ version }) => version ?? words.unknown },
          {
            head: words.state,
            cell: ({ working, why, isSilent }) =>
              isSilent ? (
                <State tone="red">{words.silent}</State>
              ) : working ? (
                <State tone="green">{words.ready}</State>
              ) : (
                <>
                  <State tone="red">{words.notReady}</State>
                  {why && (
                    <div class="quiet" lang="en">
                      {why}
                    </div>
                  )}
                </>
              ),
          },
          { head: words.runningSince, cell: ({ startedAt }) => <Time at={startedAt} /> },
          { head: words.lastSaid, cell: ({ seenAt }) => <Time at={seenAt} /> },
        ]}
        rows={processes}
        empty={words.noProcesses}
      />
    </>
  )
}
