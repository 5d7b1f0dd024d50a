import Type from 'typebox'
import { unixSeconds } from '../base/clock.ts'
import { GatewayError } from '../base/errors.ts'
import { formatUsdt } from '../base/money.ts'
import type { Pool } from '../db/pool.ts'
import { describeEndpoint, type Endpoint } from '../merchants/endpoint.ts'
import {
  localusermarkParameter,
  orderidParameter,
  usernameParameter,
} from '../merchants/parameter-schemas.ts'
import type { AssignAddress } from './assign-address.ts'
import { findBaseWithUnclaimed } from './deposit-address-store.ts'

const user = { username: usernameParameter, localusermark: localusermarkParameter }
const address = Type.String({ description: 'The TRON address to pay to, T...' })

/** newAddress and finduseraddress. */
export function addressEndpoints({ pool, assign }: { pool: Pool; assign: AssignAddress }): Endpoint[] {
  return [
    describeEndpoint({
      name: 'newAddress',
      summary:
        "The user's base address, the same one when asked again; with orderid, one for that order alone.",
      replay: 'legacy',
      parameters: Type.Object({ ...user, orderid: Type.Optional(orderidParameter) }),
      data: Type.Object({
        msg: Type.String(),
        username: Type.String(),
        localusermark: Type.String(),
        address,
        uuid: Type.String({ description: "The address's own id." }),
        addtime: Type.Integer({ description: 'When it was assigned, Unix seconds.' }),
      }),
      run: async (merchant, { username, localusermark, orderid = null }) => {
        const wanted = { merchantId: merchant.id, localusermark, username, orderid }
        const assigned = await assign(wanted, merchant.addressCounterId)
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
      summary: "The user's base address, and what waits unclaimed at the user's addresses.",
      replay: 'legacy',
      parameters: Type.Object(user),
      data: Type.Object({
        info: Type.Object({ username: Type.String(), localusermark: Type.String() }),
        data: Type.Object({
          merchant_id: Type.Integer(),
          address,
          m_localusermark: Type.String(),
          uuid: Type.String(),
          addtime: Type.Integer(),
          unclaimed: Type.String({ description: 'Decimal USDT that arrived and belongs to no order yet.' }),
        }),
      }),
      run: async (merchant, { username, localusermark }) => {
        const base = await findBaseWithUnclaimed(pool, { merchantId: merchant.id, localusermark })
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
