/** The pages of what money is about, after `/console`. */
export const transferPathOf = (id: bigint): string => `/money/transfers/${id}`
export const orderPathOf = (ordersn: string): string => `/money/orders/${encodeURIComponent(ordersn)}`
