import { TOTP } from 'otpauth'

/** What an authenticator app shows for a secret. `steps`: so many codes later; before, where it is below 0. */
export function codeOf(secret: string, steps = 0): string {
  return new TOTP({ secret }).generate({ timestamp: Date.now() + steps * 30_000 })
}
