import Type from 'typebox'
import { unixSeconds } from '../base/clock.ts'
import { GatewayError } from '../base/errors.ts'
import { formatUsdt, usdt } from '../base/money.ts'
import type { Pool } from '../db/pool.ts'
import { describeEndpoint, type Endpoint } from '../requests/endpoint.ts'
import { openMerchantTurns } from '../requests/merchant-turns.ts'
import {
  localusermarkParameter,
  nullable,
  orderidParameter,
  textParameter,
  usernameParameter,
} from '../requests/parameter-schemas.ts'
import type { AssignAddress } from './assign-address.ts'
import { findUserAddresses } from './deposit-address-store.ts'

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

/** How many of a user's addresses an answer lists. */
const addressesMax = 100

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
      summary: "Finds the user's addresses, and what is unclaimed there.",
      replay: 'legacy',
      refusals: ['user_not_found'],
      parameters: Type.Object({
        ...user,
        cursor: Type.Optional(
          textParameter(1, 64, '`next` of the previous answer.', 'TWer2Ygk5TEheHp3TPuYeqxmB6SsGZmaL6'),
        ),
      }),
      data: Type.Object({
        info: Type.Object({ username: answer.username, localusermark: answer.localusermark }),
        data: Type.Object({
          merchant_id: Type.Integer({ description: "The gateway's number for the merchant.", examples: [7] }),
          address: nullable(
            text(
              "The user's base address; null for a user who has only addresses of orders",
              'TWer2Ygk5TEheHp3TPuYeqxmB6SsGZmaL6',
            ),
          ),
          m_localusermark: answer.localusermark,
          uuid: nullable(answer.uuid),
          addtime: nullable(answer.addtime),
          unclaimed: text('What arrived and belongs to no order yet, at all addresses, decimal USDT.', '0'),
          addresses: Type.Array(
            Type.Object({
              address: text('An address of the user', 'TWer2Ygk5TEheHp3TPuYeqxmB6SsGZmaL6'),
              orderid: nullable(
                text('The order that alone uses this address; null: it serves any order', 'sh-1'),
              ),
              unclaimed: text('What arrived there and belongs to no order yet, decimal USDT', '0'),
            }),
            { description: `All addresses of the user, newest first, at most ${addressesMax} in an answer.` },
          ),
          next: nullable(
            text('Cursor for further addresses; null after the last', 'TWer2Ygk5TEheHp3TPuYeqxmB6SsGZmaL6'),
          ),
        }),
      }),
      run: async (merchant, { username, localusermark, cursor = null }) => {
        const user = { merchantId: merchant.id, localusermark }
        const { base, unclaimed, page, knowsAfter } = await takeTurn(merchant.id, () =>
          // One more than is shown: it tells whether there is more.
          findUserAddresses(reads, user, { after: cursor, limit: addressesMax + 1 }),
        )
        if (!knowsAfter)
          throw new GatewayError('bad_parameter', 'cursor: must be `next` of the previous answer')
        if (cursor === null && page.length === 0) {
          throw new GatewayError('user_not_found', 'localusermark: this user has no address')
        }
        const shown = page.slice(0, addressesMax)
        return {
          info: { username, localusermark },
          data: {
            merchant_id: Number(merchant.id),
            address: base?.address ?? null,
            m_localusermark: localusermark,
            uuid: base?.uuid ?? null,
            addtime: base && unixSeconds(base.createdAt),
            unclaimed: formatUsdt(unclaimed),
            addresses: shown.map(({ unclaimed, ...rest }) => ({
              ...rest,
              unclaimed: formatUsdt(usdt(BigInt(unclaimed))),
            })),
            next: page.length > addressesMax ? shown.at(-1)!.address : null,
          },
        }
      },
    }),
  ]
}
