import { startRunningGateway } from '../../clients/running-gateway.ts'
import { type Caller, formBody, signed, stamp } from '../../support/signed-request.ts'

export interface Order {
  address: string
  pay_url: string
}

/** A whole gateway on a sandbox, with a shop that makes orders of 10 USDT. */
export async function openShop() {
  const gateway = await startRunningGateway()
  const added = await gateway.addMerchant({ callbackUrl: 'https://shop.example/cb' })
  const merchant: Caller = { ...added, scheme: 'hmac-sha256' }
  return {
    ...gateway,
    createOrder: async (orderid: string): Promise<Order> => {
      const order = { username: 'u', localusermark: '1', address: 'auto', orderid, amount: '10', ...stamp() }
      const answer = await fetch(`${gateway.apiUrl}/api/merchant/TraderRechargeorder`, {
        method: 'POST',
        headers: { 'content-type': 'application/x-www-form-urlencoded' },
        body: formBody(signed(merchant, 'TraderRechargeorder', order)),
      })
      return ((await answer.json()) as { data: Order }).data
    },
  }
}
