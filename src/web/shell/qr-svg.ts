import { encodeQR } from 'qr'

/** Modules of white around the symbol. The standard asks for four, and scanners rely on it. */
const quietZone = 4

/**
 * Draws a QR code as one SVG path, black on white in every theme: many wallets do not read an inverted one.
 * @param text what the wallet reads; the plain address, since wallets agree on no URI for TRON.
 * @param label what a screen reader says.
 */
export function qrSvg(text: string, label: string): string {
  const rows = encodeQR(text, 'raw', { ecc: 'medium', border: quietZone })
  const size = rows.length
  return (
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${size} ${size}" role="img" aria-label="${escapeAttribute(label)}" shape-rendering="crispEdges">` +
    `<path fill="#fff" d="M0 0h${size}v${size}H0z"/><path fill="#000" d="${rows.map(runs).join('')}"/></svg>`
  )
}

/** The row's dark modules as one rectangle for each run. */
function runs(row: readonly boolean[], y: number): string {
  let path = ''
  for (let x = 0; x < row.length; x++) {
    if (!row[x]) continue
    const start = x
    while (row[x + 1]) x++
    const width = x + 1 - start
    path += `M${start} ${y}h${width}v1h-${width}z`
  }
  return path
}

function escapeAttribute(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('"', '&quot;').replaceAll('<', '&lt;')
}
