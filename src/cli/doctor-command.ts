import type { Command } from 'commander'
import type { Finding } from '../doctor/finding.ts'
import { runDoctor } from '../doctor/run-doctor.ts'

export function addDoctorCommand(program: Command): void {
  program
    .command('doctor')
    .description(
      'check settings, database, Redis, nodes, clock, callbacks, disk and backups from this machine; changes nothing, shows no secret, exits with 1 when something is wrong',
    )
    .option('--json', 'print an array')
    .action(async (options: { json?: true }) => {
      const findings = await runDoctor(process.env)
      console.log(options.json ? JSON.stringify(findings, null, 2) : asPage(findings))
      if (findings.some(({ level }) => level === 'wrong')) process.exitCode = 1
    })
}

const marks = { ok: 'ok   ', look: 'look ', wrong: 'WRONG' }
const areaWidth = 10
/** A finding may quote an error of a server. */
const saysMax = 400

/** One page, to be read and to be pasted into an issue. */
export function asPage(findings: readonly Finding[]): string {
  const lines = findings.map(({ area, level, says }) => {
    const line = says.replace(/\s+/g, ' ').trim()
    return `${marks[level]}  ${area.padEnd(areaWidth)}${line.length > saysMax ? `${line.slice(0, saysMax)}...` : line}`
  })
  const count = (level: Finding['level']) => findings.filter(finding => finding.level === level).length
  return [...lines, '', `${count('wrong')} wrong, ${count('look')} to look at, ${count('ok')} ok`].join('\n')
}
