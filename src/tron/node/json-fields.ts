import {
  colon,
  comma,
  expect,
  type JsonScan,
  notJson,
  quote,
  skipNumberOrWord,
  skipSpace,
  skipString,
  startScan,
} from './json-tokens.ts'

/**
 * Which parts of a JSON value to keep: the named members of an object, the same parts of each element of a list, or all of
 * it (`whole`). A value of another shape is kept whole, so that the code that checks it can refuse it.
 */
export type Fields = 'whole' | readonly [Fields] | { readonly [name: string]: Fields }

/** How deep lists and objects may be nested. Nodes' answers stay below a dozen. Each level is a recursive call. */
const depthMax = 64
const openList = 0x5b
const closeList = 0x5d
const openObject = 0x7b
const closeObject = 0x7d

/**
 * Makes a reader of some fields of a JSON text. It refuses what JSON.parse refuses, in skipped parts too. It also refuses
 * a kept name that comes twice in an object, and nesting beyond `depthMax`. We use a tenth of a block of some hundred
 * kilobytes: making strings and objects of all of it costs three times as much as skipping the rest.
 * @returns a function from UTF-8 to what JSON.parse would return, without the members that are not named. A top-level object
 * with none of them is returned whole, so that only `{}` looks empty. It throws SyntaxError.
 */
export function createFieldReader(fields: Fields): (body: Buffer) => unknown {
  const plan = planOf(fields)
  return body => {
    const scan = startScan(body)
    skipSpace(scan)
    const value = readValue(scan, plan, 0)
    skipSpace(scan)
    if (scan.at !== scan.bytes.length) throw notJson(scan)
    const isBare = typeof value === 'object' && value !== null && Object.keys(value).length === 0
    return isBare ? parse(scan, 0) : value
  }
}

interface Plan {
  keep: boolean
  /** Of an object: the members to keep, by the length of their names. */
  members: Member[][] | null
  /** Of a list: what to keep of each element. */
  element: Plan | null
}

interface Member {
  name: string
  bytes: Uint8Array
  plan: Plan
}

const nothing: Plan = { keep: false, members: null, element: null }

function planOf(fields: Fields): Plan {
  if (fields === 'whole') return { keep: true, members: null, element: null }
  if (Array.isArray(fields)) return { keep: true, members: null, element: planOf(fields[0]) }
  const members: Member[][] = []
  for (const [name, inner] of Object.entries(fields)) {
    const bytes = Buffer.from(name)
    members[bytes.length] ??= []
    members[bytes.length]!.push({ name, bytes, plan: planOf(inner) })
  }
  return { keep: true, members: Array.from(members, list => list ?? []), element: null }
}

/** Reads the next value. @returns undefined where nothing is kept. */
function readValue(scan: JsonScan, plan: Plan, depth: number): unknown {
  const from = scan.at
  const first = scan.bytes[from]
  if (first === quote) {
    const isPlain = skipString(scan)
    if (isPlain && plan.keep) return latin1(scan, from + 1, scan.at - 1)
  } else if (first === openObject) {
    const value = readObject(scan, plan.members, depth)
    if (value) return value
  } else if (first === openList) {
    const value = readList(scan, plan.element, depth)
    if (value) return value
  } else skipNumberOrWord(scan)
  return plan.keep ? parse(scan, from) : undefined
}

function readObject(scan: JsonScan, members: Member[][] | null, depth: number): object | null {
  if (depth === depthMax) throw tooDeep()
  const kept: Record<string, unknown> | null = members && {}
  scan.at++
  skipSpace(scan)
  if (scan.bytes[scan.at] !== closeObject) {
    for (;;) {
      const member = readName(scan, members)
      skipSpace(scan)
      expect(scan, colon)
      skipSpace(scan)
      if (member && kept) {
        if (kept[member.name] !== undefined) throw new SyntaxError(`${member.name} comes twice`)
        kept[member.name] = readValue(scan, member.plan, depth + 1)
      } else readValue(scan, nothing, depth + 1)
      skipSpace(scan)
      if (scan.bytes[scan.at] === closeObject) break
      expect(scan, comma)
      skipSpace(scan)
    }
  }
  scan.at++
  return kept
}

/** Skips a member's name. @returns the member, if it is one to keep. */
function readName(scan: JsonScan, members: Member[][] | null): Member | undefined {
  const from = scan.at
  const isPlain = skipString(scan)
  if (!members) return undefined
  if (!isPlain) {
    const name = parse(scan, from)
    return members.flat().find(member => member.name === name)
  }
  const sameLength = members[scan.at - from - 2] ?? []
  for (const member of sameLength) if (isAt(scan.bytes, from + 1, member.bytes)) return member
  return undefined
}

function isAt(bytes: Uint8Array, at: number, wanted: Uint8Array): boolean {
  for (let i = 0; i < wanted.length; i++) if (bytes[at + i] !== wanted[i]) return false
  return true
}

function readList(scan: JsonScan, element: Plan | null, depth: number): unknown[] | null {
  if (depth === depthMax) throw tooDeep()
  const kept: unknown[] | null = element && []
  scan.at++
  skipSpace(scan)
  if (scan.bytes[scan.at] !== closeList) {
    for (;;) {
      const value = readValue(scan, element ?? nothing, depth + 1)
      kept?.push(value)
      skipSpace(scan)
      if (scan.bytes[scan.at] === closeList) break
      expect(scan, comma)
      skipSpace(scan)
    }
  }
  scan.at++
  return kept
}

function latin1({ bytes }: JsonScan, from: number, to: number): string {
  return bytes.toString('latin1', from, to)
}

/** Parses the value that has just been skipped. */
function parse({ bytes, at }: JsonScan, from: number): unknown {
  return JSON.parse(bytes.toString('utf8', from, at))
}

function tooDeep(): SyntaxError {
  return new SyntaxError(`lists and objects more than ${depthMax} deep`)
}
