import Type from 'typebox'
import { unixSeconds } from '../base/clock.ts'
import { GatewayError } from '../base/errors.ts'
import { formatUsdt } from '../base/money.ts'
import type { Pool } from '../db/pool.ts'
import { describeEndpoint, type Endpoint } from '../requests/endpoint.ts'
import { openMerchantTurns } from '../requests/merchant-turns.ts'
import { localusermarkParameter, orderidParameter, usernameParameter } from '../requests/parameter-schemas.ts'
import type { AssignAddress } from './assign-address.ts'
import { findBaseWithUnclaimed } from './deposit-address-store.ts'

const user = { username: usernameParameter, localusermark: localusermarkParameter }
const text = (description: string, example: string) => Type.String({ description, examples: [example] })
const answer = {
  msg: text('Always 操作成功 (success)', '操作成功'),
  username: text("The user's name", 'a123456'),
  localusermark: text("The merchant's id for the user", '1'),
  address: text('The TRON address to pay to', 'TWer2Ygk5TEheHp3TPuYeqxmB6SsGZmaL6'),
  uuid: text("The gateway's id for the address.", '85a6c08e1f2a4b3c8d9e0f3900c51abe'),
  addtime: Type.Integer({ description: 'Time of assignment, Unix seconds.', examples: [1662198094] }),
}

/** How many look-ups a merchant may have waiting. Each takes a millisecond, unless the user has very many addresses. */
const usersWaiting = 256

/**
 * Describes newAddress and finduseraddress.
 * @param options.reads the pool for reads: a user's unclaimed money may be at a million addresses.
 */
export function addressEndpoints({ reads, assign }: { reads: Pool; assign: AssignAddress }): Endpoint[] {
  const takeTurn = openMerchantTurns({
    name: 'finduseraddress',
    waitingPerMerchant: usersWaiting,
    whenTooLong: 'this user has too many addresses to sum up what is unclaimed',
  })
  return [
    describeEndpoint({
      name: 'newAddress',
      summary:
        "Assigns the user's base address, or with orderid one for that order alone; the same one when repeated.",
      replay: 'legacy',
      refusals: ['orderid_conflict'],
      parameters: Type.Object({ ...user, orderid: Type.Optional(orderidParameter) }),
      data: Type.Object(answer),
      run: async (merchant, { username, localusermark, orderid = null }) => {
        const request = { merchantId: merchant.id, localusermark, username, orderid }
        const assigned = await assign(request, merchant.addressCounterId)
        return {
          msg: '操作成功',
          username,
          localusermark,
          address: assigned.address,
          uuid: assigned.uuid,
          addtime: unixSeconds(assigned.createdAt),
        }
      },
    }),
    describeEndpoint({
      name: 'finduseraddress',
      summary: "Finds the user's base address, and what is unclaimed at the user's addresses.",
      replay: 'legacy',
      refusals: ['user_not_found'],
      parameters: Type.Object(user),
      data: Type.Object({
        info: Type.Object({ username: answer.username, localusermark: answer.localusermark }),
        data: Type.Object({
          merchant_id: Type.Integer({ description: "The gateway's number for the merchant.", examples: [7] }),
          address: answer.address,
          m_localusermark: answer.localusermark,
          uuid: answer.uuid,
          addtime: answer.addtime,
          unclaimed: text('What arrived and belongs to no order yet, decimal USDT.', '0'),
        }),
      }),
      run: async (merchant, { username, localusermark }) => {
        const user = { merchantId: merchant.id, localusermark }
        const base = await takeTurn(merchant.id, () => findBaseWithUnclaimed(reads, user))
        if (!base) throw new GatewayError('user_not_found', 'localusermark: this user has no address')
        return {
          info: { username, localusermark },
          data: {
            merchant_id: Number(merchant.id),
            address: base.address.address,
            m_localusermark: localusermark,
            uuid: base.address.uuid,
            addtime: unixSeconds(base.address.createdAt),
            unclaimed: formatUsdt(base.unclaimed),
          },
        }
      },
    }),
  ]
}
