import Type from 'typebox'
import type { Endpoint } from './endpoint.ts'
import { unknownParameter } from './parameter-schemas.ts'

const common = {
  appid: Type.String({ description: "The merchant's appid.", examples: ['VunTq7Zk2Lm9h1l8'] }),
  sign: Type.String({ description: 'The signature, hex in either case.', examples: [''] }),
}

/** Optional in the schema: whether they are required depends on the merchant and on the scheme of its key. */
const replay = {
  t: Type.String({ description: 'Unix seconds, within 300 s of our clock.', examples: ['1662299838'] }),
  nonce: Type.String({
    description: '16 to 64 characters, used once within ten minutes.',
    examples: ['5f2b7c9d1e3a4f60'],
  }),
}

/** The schema of a request's parameters: the endpoint's own, those of every request, and any others. */
export function parametersSchema({ parameters }: Pick<Endpoint, 'parameters'>) {
  return Type.Object(
    {
      ...common,
      ...parameters.properties,
      t: Type.Optional(replay.t),
      nonce: Type.Optional(replay.nonce),
    },
    { additionalProperties: unknownParameter },
  )
}
