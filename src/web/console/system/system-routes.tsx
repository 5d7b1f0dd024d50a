/** @jsxRuntime automatic @jsxImportSource preact */
import { describeRaised } from '../../../alarms/alarm-store.ts'
import { listProcesses } from '../../../alarms/process-store.ts'
import { readStatus } from '../../../credits/read-status.ts'
import { listJobs } from '../../../db/job-store.ts'
import { type KeptReadings, keepReadings } from '../parts/kept-readings.ts'
import { Section } from '../parts/list-parts.tsx'
import { type Page, wordsOf } from '../parts/page.ts'
import { PartOf, readPart, valueIn } from '../parts/read-part.tsx'
import type { Answer, ConsoleRoute } from '../parts/route.ts'
import { WithCode } from '../parts/value-parts.tsx'
import { Alarms, showAlarm } from './system-alarms.tsx'
import { Chain, Following, waitingMax } from './system-chain.tsx'
import { Database } from './system-database.tsx'
import { Jobs } from './system-jobs.tsx'
import { Processes } from './system-processes.tsx'
import { Settings } from './system-settings.tsx'
import { readChainFacts, readDatabaseFacts } from './system-store.ts'
import { systemWords } from './system-words.ts'

/** Sizes are asked of the file system. */
const sizesFreshMs = 60_000

/** What runs the gateway: the chain, alarms, jobs, processes, settings, the database. */
export function systemRoutes(
  kept: KeptReadings = keepReadings({ freshMs: sizesFreshMs }),
): readonly ConsoleRoute[] {
  return [
    { method: 'GET', path: '/system', who: 'admin', handle: page => showSystem(page, kept) },
    { method: 'GET', path: '/system/alarms/:alarm', who: 'admin', handle: showAlarm },
  ]
}

const jobsMax = 20

async function showSystem(page: Page, kept: KeptReadings): Promise<Answer> {
  const words = wordsOf(page, systemWords)
  const { reads, config } = page.context
  const [alarms, chain, status, jobs, processes, database] = await Promise.all([
    readPart(page, () => describeRaised(reads)),
    readPart(page, () => readChainFacts(reads)),
    readPart(page, () => readStatus(reads, page.now, waitingMax)),
    readPart(page, () => listJobs(reads, jobsMax)),
    readPart(page, () => listProcesses(reads)),
    readPart(page, () => kept.read('database', () => readDatabaseFacts(reads))),
  ])
  return {
    title: words.title,
    body: (
      <>
        <div class="title">
          <h1>{words.title}</h1>
        </div>
        <p class="actions parts">
          {(['alarms', 'chain', 'jobs', 'processes', 'database', 'settings'] as const).map(part => (
            <a href={`#${part}`} key={part}>
              {words[part]}
            </a>
          ))}
        </p>
        <Section title={words.alarms} id="alarms">
          <PartOf page={page} part={alarms}>
            {found => (
              <Alarms page={page} words={words} alarms={found} seen={valueIn(status)?.alarms ?? []} />
            )}
          </PartOf>
        </Section>
        <Section title={words.chain} id="chain">
          <PartOf page={page} part={chain}>
            {found =>
              found ? (
                <Chain words={words} chain={found} />
              ) : (
                <p>
                  <WithCode text={words.notStarted} />
                </p>
              )
            }
          </PartOf>
          <PartOf page={page} part={status}>
            {found => found && <Following page={page} words={words} status={found} />}
          </PartOf>
        </Section>
        <Section title={words.jobs} id="jobs">
          <PartOf page={page} part={jobs}>
            {found => <Jobs page={page} words={words} jobs={found} status={valueIn(status)} />}
          </PartOf>
        </Section>
        <Section title={words.processes} id="processes">
          <PartOf page={page} part={processes}>
            {found => <Processes words={words} processes={found} />}
          </PartOf>
        </Section>
        <Section title={words.database} id="database">
          <PartOf page={page} part={database}>
            {found => <Database words={words} kept={found} />}
          </PartOf>
        </Section>
        <Section title={words.settings} id="settings">
          <Settings words={words} settings={config.inForce} />
        </Section>
      </>
    ),
  }
}
