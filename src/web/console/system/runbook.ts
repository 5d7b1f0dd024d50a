import { readFileSync } from 'node:fs'
import type { AlarmName } from '../../../alarms/alarm.ts'

/** A paragraph, or the steps of a list. In the texts, what stands between backquotes is code. */
export type RunbookBlock = { kind: 'text'; text: string } | { kind: 'steps'; steps: string[] }

/** Reads what docs/alarms.md says of an alarm. @returns null where the file was not shipped. */
export function readRunbook(alarm: AlarmName): RunbookBlock[] | null {
  let file: string
  try {
    file = readFileSync(new URL('../../../../docs/alarms.md', import.meta.url), 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null
    throw error
  }
  return blocksOf(sectionOf(file, alarm))
}

function sectionOf(file: string, alarm: AlarmName): string {
  const begin = file.indexOf(`\n### \`${alarm}\`\n`)
  if (begin < 0) return ''
  const rest = file.slice(file.indexOf('\n', begin + 1))
  const end = rest.search(/\n##/)
  return end < 0 ? rest : rest.slice(0, end)
}

function blocksOf(section: string): RunbookBlock[] {
  return section
    .split(/\n\s*\n/)
    .map(block => block.trim())
    .filter(Boolean)
    .map(block =>
      /^1\. /.test(block)
        ? {
            kind: 'steps',
            steps: block.split(/\n(?=\d+\. )/).map(step => plain(step.replace(/^\d+\. /, ''))),
          }
        : { kind: 'text', text: plain(block) },
    )
}

/** Links lead into the project's files, which are not served: their words stay. */
function plain(text: string): string {
  return text
    .replace(/\[([^\]]+)\]\([^)]*\)/g, '$1')
    .replaceAll('**', '')
    .replace(/\s*\n\s*/g, ' ')
}
