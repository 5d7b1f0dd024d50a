import { createHash, createSign, generateKeyPairSync, randomBytes } from 'node:crypto'

/** An authenticator without a device: it makes one passkey (ES256), and signs with it as often as the test wants. */
export function softPasskey(origin: string) {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const { x, y } = publicKey.export({ format: 'jwk' })
  const id = randomBytes(16)
  const rpIdHash = createHash('sha256').update(new URL(origin).hostname).digest()
  const shown = { id: id.toString('base64url'), rawId: id.toString('base64url'), type: 'public-key' }

  const clientData = (type: string, challenge: string) =>
    Buffer.from(JSON.stringify({ type, challenge, origin, crossOrigin: false }))
  const authData = (flags: number, counter: number, attested = Buffer.alloc(0)) => {
    const count = Buffer.alloc(4)
    count.writeUInt32BE(counter)
    return Buffer.concat([rpIdHash, Buffer.of(flags), count, attested])
  }

  return {
    /** Answers what a server asks for a new passkey. */
    create({ challenge }: { challenge: string }) {
      // {1: 2, 3: -7, -1: 1, -2: x, -3: y} as CBOR.
      const key = Buffer.concat([
        Buffer.from('a5010203262001215820', 'hex'),
        Buffer.from(x!, 'base64url'),
        Buffer.from('225820', 'hex'),
        Buffer.from(y!, 'base64url'),
      ])
      const attested = Buffer.concat([Buffer.alloc(16), Buffer.of(0, id.length), id, key])
      const data = authData(0x41, 0, attested)
      // {fmt: 'none', attStmt: {}, authData}
      const attestation = Buffer.concat([
        Buffer.from('a363666d74646e6f6e656761747453746d74a068617574684461746158', 'hex'),
        Buffer.of(data.length),
        data,
      ])
      return {
        ...shown,
        clientExtensionResults: {},
        response: {
          clientDataJSON: clientData('webauthn.create', challenge).toString('base64url'),
          attestationObject: attestation.toString('base64url'),
          transports: ['internal'],
        },
      }
    },

    /** Answers what a server asks to be signed. */
    sign({ challenge }: { challenge: string }, counter: number) {
      const data = authData(0x01, counter)
      const client = clientData('webauthn.get', challenge)
      const hash = createHash('sha256').update(client).digest()
      return {
        ...shown,
        clientExtensionResults: {},
        response: {
          clientDataJSON: client.toString('base64url'),
          authenticatorData: data.toString('base64url'),
          signature: createSign('sha256')
            .update(Buffer.concat([data, hash]))
            .sign(privateKey)
            .toString('base64url'),
        },
      }
    },
  }
}
