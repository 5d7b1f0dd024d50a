import Type, { type TSchema } from 'typebox'
import { type ErrorCode, errorCodes } from '../../base/errors.ts'

/** The legacy envelope of a success. */
export function answerSchema(data: TSchema) {
  return Type.Object({ status: Type.Literal(1), data })
}

/** The legacy envelope of a refusal. */
export const refusalSchema = Type.Object({
  status: Type.Literal(0),
  err: Type.String({ description: 'What is wrong, in a sentence, for people.' }),
  code: Type.Enum(Object.keys(errorCodes) as ErrorCode[], {
    description: 'What is wrong, for programs; never changes.',
  }),
})

/** Writes the body of a refusal; its content type is `jsonType`. */
export function refusalBody(code: ErrorCode, sentence: string): string {
  return JSON.stringify({ status: 0, err: sentence, code })
}

export const jsonType = 'application/json; charset=utf-8'
