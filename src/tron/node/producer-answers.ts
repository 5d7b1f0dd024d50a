import { MessageFields } from '../message-fields.ts'
import { asList, asObject, wrongField } from './answer-fields.ts'

const address = /^41[0-9a-f]{40}$/
/** The networks have 27 at work. Each costs a call. */
const producersMax = 100
/** Of a permission. java-tron allows no more. */
const keysMax = 5

/** Reads the answer of listwitnesses. @returns the addresses of those that make blocks now. @throws NodeError */
export function readProducers(answer: unknown): string[] {
  const found = asList(asObject(answer, 'the answer').witnesses ?? [], 'witnesses').flatMap(value => {
    const witness = asObject(value, 'a witness')
    return witness.isJobs === true ? [checked(witness.address, 'a witness')] : []
  })
  return atMost(found, 'witnesses', producersMax)
}

/** Reads a WitnessList. Witness: 1 address, 9 isJobs. @throws NodeError, MessageError */
export function readProducersMessage(message: Buffer): string[] {
  const found: string[] = []
  const list = new MessageFields(message)
  while (list.next()) {
    if (list.number !== 1) continue
    const witness = list.nested()
    let name = ''
    let isActive = false
    while (witness.next()) {
      if (witness.number === 1) name = witness.bytes().toString('hex')
      else if (witness.number === 9) isActive = witness.integer() === 1
    }
    if (isActive) found.push(checked(name, 'a witness'))
  }
  return atMost(found, 'witnesses', producersMax)
}

/**
 * Reads the answer of getaccount for a producer.
 * @returns the addresses that may sign its blocks: those of its permission, else its own.
 * @throws NodeError
 */
export function readSigners(answer: unknown, producer: string): string[] {
  const { witness_permission: permission } = asObject(answer, 'the account')
  if (permission === undefined) return [producer]
  const keys = asList(asObject(permission, 'witness_permission').keys ?? [], 'keys')
  const found = keys.map(key => checked(asObject(key, 'a key').address, 'a key'))
  return found.length > 0 ? atMost(found, 'keys', keysMax) : [producer]
}

/** Reads an Account. 32 witness_permission: Permission; 7 repeated Key; 1 address. @throws NodeError, MessageError */
export function readSignersMessage(message: Buffer, producer: string): string[] {
  const found: string[] = []
  const account = new MessageFields(message)
  while (account.next()) {
    if (account.number !== 32) continue
    const permission = account.nested()
    while (permission.next()) {
      if (permission.number !== 7) continue
      const key = permission.nested()
      while (key.next()) if (key.number === 1) found.push(checked(key.bytes().toString('hex'), 'a key'))
    }
  }
  return found.length > 0 ? atMost(found, 'keys', keysMax) : [producer]
}

function checked(value: unknown, name: string): string {
  if (typeof value === 'string' && address.test(value)) return value
  throw wrongField(name, '42 lower-case hex digits, 41 in front', value)
}

function atMost(found: string[], name: string, max: number): string[] {
  if (found.length > max) throw wrongField(name, `at most ${max}`, found.length)
  return found
}
