import Type from 'typebox'

/** Parameters are text; lengths count characters, and no control character passes anywhere. */
const plain = '^\\P{Cc}*$'

/** A parameter of so many characters. `expected` is what the refusal says, the example is for the documentation. */
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

/** Parameters nobody asked for are signed like the others and ignored; even they may hold no control characters. */
export const unknownParameter = Type.String({
  pattern: plain,
  expected: 'no control characters',
})

export const usernameParameter = textParameter(1, 64, "The user's name: a label.", 'a123456')
export const localusermarkParameter = textParameter(1, 64, "The merchant's own id of the user.", '1')
export const orderidParameter = textParameter(1, 50, "The merchant's own id of the order.", 'sh-1')
