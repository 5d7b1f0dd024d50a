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
 * What to keep of a JSON value: of an object the members named, of a list the same of each element; `whole`: all of it.
 * Where the value is something else than said here, it is kept whole, for whoever checks it to refuse.
 */
export type Fields = 'whole' | readonly [Fields] | { readonly [name: string]: Fields }

/** How deep lists and objects may lie in each other; in nodes' answers it is less than a dozen. Each level is a call. */
const depthMax = 64
const openList = 0x5b
const closeList = 0x5d
const openObject = 0x7b
const closeObject = 0x7d

/**
 * Makes a reader of some fields of a JSON text. It refuses what JSON.parse refuses, in what it passes over too, and
 * besides that a name it keeps that comes twice in an object, and what lies too deep. A block is some hundred kilobytes of
 * which we use a tenth: as text and as objects all of it costs thrice what passing over it does.
 * @returns reads UTF-8; gives what JSON.parse would, less the members that are not named. An object at the top that
 * has none of them is given whole: only `{}` is to look empty. Throws SyntaxError.
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
  /** Of an object, by the length of its name. */
  members: Member[][] | null
  /** Of a list's elements. */
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

/** @returns undefined where nothing is kept. */
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

/** Passes a member's name. @returns which of those to be kept it is. */
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

/** The value that has just been passed. */
function parse({ bytes, at }: JsonScan, from: number): unknown {
  return JSON.parse(bytes.toString('utf8', from, at))
}

function tooDeep(): SyntaxError {
  return new SyntaxError(`lists and objects more than ${depthMax} deep`)
}
