import { parseUsdt, type UsdtUnits } from '../../base/money.ts'
import { parseTronAddress, type TronAddress } from '../../tron/address.ts'
import { SandboxRefusal } from './sandbox-refusal.ts'

/** Reads an address of a request body. @param name of its field. @throws SandboxRefusal when its checksum does not match. */
export function readAddress(name: string, text: string): TronAddress {
  const parsed = parseTronAddress(text)
  if (!parsed)
    throw new SandboxRefusal(`${name} is not a TRON address (its checksum does not match): ${text}`)
  return parsed
}

/** Reads an amount of a request body. @throws SandboxRefusal when it is not USDT as decimal text. */
export function readAmount(text: string): UsdtUnits {
  const units = parseUsdt(text)
  if (units === null) throw new SandboxRefusal(`amount is not USDT as decimal text: ${text}`)
  return units
}
