type Rgb = readonly [number, number, number]

// The surfaces that a page draws on, as in tokens.ts.
const lightSurface: Rgb = [255, 255, 255]
const darkSurface: Rgb = [24, 27, 31]
const white: Rgb = [255, 255, 255]
const black: Rgb = [0, 0, 0]

/** WCAG 2: text needs 4.5 to 1, shapes such as a button's fill 3 to 1. */
const textContrast = 4.5
const shapeContrast = 3

/**
 * Writes a merchant's accent colour as a style sheet. A colour that would not be seen on the page's surface is
 * darkened or lightened until it is, in each theme on its own.
 * @param accent `#rrggbb`; anything else, and null, gives an empty sheet, which leaves the page its own colour.
 */
export function accentCss(accent: string | null): string {
  const color = accent === null ? null : parseColor(accent)
  if (color === null) return ''
  return (
    `:root{${variables(color, lightSurface, black)}}\n` +
    `@media (prefers-color-scheme:dark){:root{${variables(color, darkSurface, white)}}}\n`
  )
}

function variables(color: Rgb, surface: Rgb, towards: Rgb): string {
  const fill = visibleOn(color, surface, towards, shapeContrast)
  const text = visibleOn(color, surface, towards, textContrast)
  // One of the two always has more than 4.5.
  const onFill = contrast(fill, white) >= textContrast ? white : black
  return `--accent:${hex(fill)};--accent-text:${hex(text)};--on-accent:${hex(onFill)}`
}

function visibleOn(color: Rgb, surface: Rgb, towards: Rgb, least: number): Rgb {
  for (let percent = 0; percent < 100; percent += 2) {
    const mixed = color.map((part, i) => Math.round(part + ((towards[i]! - part) * percent) / 100))
    const candidate = mixed as unknown as Rgb
    if (contrast(candidate, surface) >= least) return candidate
  }
  return towards
}

/** @see WCAG 2.2, contrast ratio and relative luminance */
export function contrast(a: Rgb, b: Rgb): number {
  const [low, high] = [luminance(a), luminance(b)].sort((x, y) => x - y) as [number, number]
  return (high + 0.05) / (low + 0.05)
}

function luminance(color: Rgb): number {
  const [r, g, b] = color.map(part => {
    const share = part / 255
    return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4
  }) as [number, number, number]
  return 0.2126 * r + 0.7152 * g + 0.0722 * b
}

/** @returns null for what is no `#rrggbb`. */
export function parseColor(text: string): Rgb | null {
  if (!/^#[0-9a-f]{6}$/i.test(text)) return null
  return [1, 3, 5].map(at => Number.parseInt(text.slice(at, at + 2), 16)) as unknown as Rgb
}

function hex(color: Rgb): string {
  return `#${color.map(part => part.toString(16).padStart(2, '0')).join('')}`
}
