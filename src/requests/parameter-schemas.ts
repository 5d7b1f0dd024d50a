import Type from 'typebox'

/** Parameters are text without control characters; lengths count characters. */
const plain = '^\\P{Cc}*$'

/** A text parameter. A refusal quotes `expected`; the example is for the documentation. */
export function textParameter(lengthMin: number, lengthMax: number, description: string, example: string) {
  return Type.String({
    minLength: lengthMin,
    maxLength: lengthMax,
    pattern: plain,
    description,
    examples: [example],
    expected: `${lengthMin} to ${lengthMax} characters, no control characters`,
  })
}

/** A parameter that the endpoint does not know. It is signed like the others and ignored, and may hold no control characters. */
export const unknownParameter = Type.String({
  pattern: plain,
  expected: 'no control characters',
})

export const usernameParameter = textParameter(1, 64, "The user's name: a label.", 'a123456')
export const localusermarkParameter = textParameter(1, 64, "The merchant's id for the user.", '1')
export const orderidParameter = textParameter(1, 50, "The merchant's id for the order.", 'sh-1')
export const ordersnParameter = textParameter(
  1,
  64,
  "The gateway's id of the order.",
  'cz-7773c1e05b7d4a0c9a51e2b8dfc698d2',
)

/** A parameter with a time in Unix seconds. */
export function secondsParameter(description: string, example: string) {
  return Type.String({
    pattern: '^\\d{1,10}$',
    description,
    examples: [example],
    expected: 'Unix seconds as a whole number',
  })
}

/** A parameter that is one of a few words. */
export function choiceParameter<const T extends string[]>(values: readonly [...T], description: string) {
  return Type.Enum<T>(values, { description, examples: [values[0]], expected: `one of ${values.join(', ')}` })
}

/** How many rows a page has at most. @param of what the rows are, in the plural. */
export function limitParameter(of: string) {
  return Type.String({
    pattern: '^([1-9]|[1-9]\\d|[1-4]\\d\\d|500)$',
    description: `Maximum number of ${of}, 1 to 500; default 100.`,
    examples: ['100'],
    expected: 'a whole number from 1 to 500',
  })
}

/** A field of an answer that may be null. */
export const nullable = <T extends Type.TSchema>(schema: T) => Type.Union([schema, Type.Null()])
