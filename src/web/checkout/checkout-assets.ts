import { readFileSync } from 'node:fs'
import { type Asset, makeAsset } from '../shell/assets.ts'
import { tokensCss } from '../shell/tokens-css.ts'
import { layoutCss } from './layout-css.ts'

/** The tokens and the page's own rules in one file: one request instead of two. */
export const checkoutCss: Asset = makeAsset('checkout', 'css', tokensCss + layoutCss)

// Read beside this file: from source as it is written, from dist as tsc copied it and pointed to a map that is not served.
const payModule = readFileSync(new URL('./browser/pay.js', import.meta.url), 'utf8')
export const payJs: Asset = makeAsset('pay', 'js', payModule.replace(/\n\/\/# sourceMappingURL=.*/, ''))

export const checkoutAssets: readonly Asset[] = [checkoutCss, payJs]
