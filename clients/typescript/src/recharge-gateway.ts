// What the package offers.
export type * from './answers.ts'
export type { CallbackFields } from './callback-fields.ts'
export type { CallbackHeaders } from './callback-headers.ts'
export { type GatewayClient, type GatewaySettings, openGateway } from './client.ts'
export { CallbackError, type CallbackErrorCode, GatewayError, type GatewayErrorCode } from './errors.ts'
export type * from './parameters.ts'
export { type Scheme, sign } from './signature.ts'
export { type Callback, type CallbackKeys, verifyCallback } from './verify-callback.ts'
