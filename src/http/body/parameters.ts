import { GatewayError } from '../../base/errors.ts'

/** A request's parameters as text, each name once, on no prototype. */
export type Parameters = Record<string, string>

const names = /^[A-Za-z0-9_]{1,64}$/
const forbidden = new Set(['__proto__', 'constructor', 'prototype'])

/**
 * Sets a parameter that was read.
 * @throws GatewayError bad_request when its name is not one, or was read before.
 */
export function setParameter(parameters: Parameters, name: string, value: string): void {
  if (!names.test(name) || forbidden.has(name)) {
    throw new GatewayError('bad_request', "body: a parameter's name is 1 to 64 of A-Z a-z 0-9 _")
  }
  if (parameters[name] !== undefined) throw new GatewayError('bad_request', `body: ${name} is there twice`)
  parameters[name] = value
}

/** No parameters yet. */
export function noParameters(): Parameters {
  return Object.create(null)
}
