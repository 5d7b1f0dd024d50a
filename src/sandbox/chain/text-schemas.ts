import Type from 'typebox'

// Texts in the control API's bodies. Addresses' checksums and amounts are read after these, by the same code as everywhere.

export const addressText = Type.String({
  pattern: '^T[1-9A-HJ-NP-Za-km-z]{33}$',
  description: 'a TRON address, T... of 34 characters',
})
export const amountText = Type.String({
  pattern: '^(0|[1-9][0-9]{0,11})([.][0-9]{1,6})?$',
  description: 'USDT as decimal text, at most 6 digits behind the point',
})
export const txidText = Type.String({ pattern: '^[0-9a-f]{64}$', description: '64 hex digits, small' })
export const hexText = Type.String({
  pattern: '^([0-9a-f]{2})*$',
  maxLength: 200_000,
  description: 'bytes as hex, small',
})
