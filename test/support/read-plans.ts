import assert from 'node:assert/strict'
import type { Queryable } from '../../src/db/pool.ts'
import { bigTableRows } from './seed-big.ts'

/** What a statement did, as Postgres says it. */
export interface ReadPlan {
  text: string
  /** Big tables that were read from one end to the other. */
  scanned: string[]
  /** Rows that were read, those that were then left out included. */
  rows: number
}

interface PlanNode {
  'Node Type': string
  'Relation Name'?: string
  'Actual Rows': number
  'Actual Loops': number
  'Rows Removed by Filter'?: number
  'Rows Removed by Index Recheck'?: number
  'Rows Removed by Join Filter'?: number
  Plans?: PlanNode[]
}

/** Wraps a database so that every statement is also explained, with the values it is run with. */
export async function planReader(pool: Queryable): Promise<{ db: Queryable; plans: ReadPlan[] }> {
  const { rows: tables } = await pool.query<{ relname: string }>(
    `select relname from pg_class where relkind = 'r' and reltuples >= $1`,
    [bigTableRows],
  )
  const big = new Set(tables.map(({ relname }) => relname))
  const plans: ReadPlan[] = []
  const query = async (statement: string | { text: string; values?: unknown[] }, given?: unknown[]) => {
    const { text, values } = typeof statement === 'string' ? { text: statement, values: given } : statement
    const { rows } = await pool.query(
      `explain (analyze, timing off, format json) ${text}`,
      values as unknown[],
    )
    const nodes = nodesOf(rows[0]['QUERY PLAN'][0].Plan)
    plans.push({
      text,
      scanned: nodes
        .filter(node => node['Node Type'] === 'Seq Scan' && big.has(node['Relation Name']!))
        .map(node => node['Relation Name']!),
      rows: nodes
        .filter(node => node['Relation Name'] !== undefined)
        .reduce((sum, node) => sum + rowsOf(node), 0),
    })
    return await pool.query(statement as string, given)
  }
  return { db: { query: query as unknown as Queryable['query'] }, plans }
}

/** Asserts that the statements so far read by indexes, and not more rows than so many. */
export function assertPlans(plans: readonly ReadPlan[], rowsMax: number): void {
  assert(plans.length > 0)
  for (const { text, scanned, rows } of plans) {
    assert.deepEqual(scanned, [], text)
    assert(rows <= rowsMax, `${rows} rows: ${text}`)
  }
}

function nodesOf(node: PlanNode): PlanNode[] {
  return [node, ...(node.Plans ?? []).flatMap(nodesOf)]
}

function rowsOf(node: PlanNode): number {
  const removed = (node['Rows Removed by Filter'] ?? 0) + (node['Rows Removed by Index Recheck'] ?? 0)
  return (node['Actual Rows'] + removed) * node['Actual Loops']
}
