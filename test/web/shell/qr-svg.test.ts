import assert from 'node:assert/strict'
import { test } from 'node:test'
import { decodeQR } from 'qr/decode.js'
import { qrSvg } from '../../../src/web/shell/qr-svg.ts'
import { sampleAddress } from '../checkout/sample-view.ts'

/** Paints the SVG's rectangles as a scanner would see them. `scale` is pixels for each module. */
function paint(svg: string, scale = 4) {
  const size = Number(/viewBox="0 0 (\d+) /.exec(svg)![1])
  const side = size * scale
  const data = new Uint8ClampedArray(side * side * 4).fill(255)
  const dark = /<path fill="#000" d="([^"]*)"/.exec(svg)![1]!
  for (const [, x, y, width] of dark.matchAll(/M(\d+) (\d+)h(\d+)v1h-\d+z/g)) {
    for (let row = Number(y) * scale; row < (Number(y) + 1) * scale; row++) {
      const from = row * side + Number(x) * scale
      for (let at = from; at < from + Number(width) * scale; at++) data.fill(0, at * 4, at * 4 + 3)
    }
  }
  return { size, image: { width: side, height: side, data } }
}

test('the drawing decodes to the address', () => {
  assert.equal(decodeQR(paint(qrSvg(sampleAddress, 'QR')).image), sampleAddress)
})

test('an address is 29 modules wide, with four of white on every side', () => {
  const svg = qrSvg(sampleAddress, 'QR')
  assert.equal(paint(svg).size, 29 + 8)
  const starts = [...svg.matchAll(/M(\d+) (\d+)h(\d+)v1/g)].map(match => match.slice(1).map(Number))
  for (const [x, y, width] of starts as [number, number, number][]) {
    assert.ok(x >= 4 && y >= 4 && y < 33 && x + width <= 33)
  }
})

test('it is black on white, with a label for those who do not see it', () => {
  const svg = qrSvg(sampleAddress, 'QR code of "A" & <B>')
  assert.match(svg, /role="img" aria-label="QR code of &quot;A&quot; &amp; &lt;B>"/)
  assert.match(svg, /<path fill="#fff" d="M0 0h37v37H0z"\/>/)
  assert.doesNotMatch(svg, /style=|<rect|<script/)
})
