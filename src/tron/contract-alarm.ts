import type { ContractAlarmEvent } from './block.ts'
import type { NodeLog } from './transfer-log.ts'

/** First topics: keccak-256 of the signature above each. */
const alarmTopics: Record<string, ContractAlarmEvent | undefined> = {
  // Params(uint256,uint256)
  b044a1e409eac5c48e5af22d4af52670dd1a99059537a78b31b48c6500a6354e: 'Params',
  // Deprecate(address)
  cc358699805e9a8b7f77b522628c7cb9abd07d9efb86b6fb616af1609036a99e: 'Deprecate',
  // Pause()
  '6985a02210a168e66602d3235cb6db0e70f92b3ba4d376a33c0f3d9434bff625': 'Pause',
  // Unpause()
  '7805862f689e2f13df9f062ff482ad3ad112aca9e0847911ed832e158c525b33': 'Unpause',
  // AddedBlackList(address)
  '42e160154868087d6bfdc0ca23d96a1c1cfa32f1b72ba9ba27b69b98a0d819dc': 'AddedBlackList',
  // RemovedBlackList(address)
  d7e9ec6e6ecd65492dce6bf513cd6867560d49544421d0783ddf06e76c24470c: 'RemovedBlackList',
  // DestroyedBlackFunds(address,uint256)
  '61e6e66b0d6339b2980aecc6ccc0039736791f0ccde9ed512e789a7fbdd698c6': 'DestroyedBlackFunds',
}

/** Recognizes an event that raises an alarm. @param log of the USDT contract. @returns null for every other event. */
export function contractAlarmEvent(log: NodeLog): ContractAlarmEvent | null {
  return alarmTopics[log.topics?.[0] ?? ''] ?? null
}
