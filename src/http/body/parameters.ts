import { GatewayError } from '../../base/errors.ts'

/** A request's parameters as text, each name once. The object has no prototype. */
export type Parameters = Record<string, string>

const names = /^[A-Za-z0-9_]{1,64}$/
const forbidden = new Set(['__proto__', 'constructor', 'prototype'])

/**
 * Adds a parameter that was read from a body.
 * @throws GatewayError bad_request when its name is not allowed or was already added.
 */
export function setParameter(parameters: Parameters, name: string, value: string): void {
  if (!names.test(name) || forbidden.has(name)) {
    throw new GatewayError(
      'bad_request',
      "body: a parameter's name must be 1 to 64 characters of A-Z a-z 0-9 _",
    )
  }
  if (parameters[name] !== undefined) throw new GatewayError('bad_request', `body: ${name} is given twice`)
  parameters[name] = value
}

/** Makes an empty map of parameters. */
export function noParameters(): Parameters {
  return Object.create(null)
}
