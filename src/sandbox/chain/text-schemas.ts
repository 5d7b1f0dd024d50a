import Type from 'typebox'

// Text fields of the control API's bodies. Checksums and amounts are then checked by the code that the gateway uses.

export const addressText = Type.String({
  pattern: '^T[1-9A-HJ-NP-Za-km-z]{33}$',
  description: 'a TRON address, T and 33 more characters',
})
export const amountText = Type.String({
  pattern: '^(0|[1-9][0-9]{0,11})([.][0-9]{1,6})?$',
  description: 'USDT as decimal text, with at most 6 decimals',
})
export const txidText = Type.String({ pattern: '^[0-9a-f]{64}$', description: '64 lower-case hex digits' })
export const hexText = Type.String({
  pattern: '^([0-9a-f]{2})*$',
  maxLength: 200_000,
  description: 'bytes in lower-case hex',
})
