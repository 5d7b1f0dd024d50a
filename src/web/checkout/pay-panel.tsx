/** @jsxRuntime automatic @jsxImportSource preact */
import { CopyButton, Fours } from './checkout-parts.tsx'
import type { CheckoutView } from './checkout-view.ts'
import type { Words } from './words.ts'

/** What a wallet calls the networks: the last four bytes of the genesis block's id. The sandbox is ours alone. */
const chainIds: Record<CheckoutView['network'], string | null> = {
  mainnet: '0x2b6653dc',
  nile: '0xcd8690dc',
  shasta: '0x94a9059e',
  sandbox: 'sandbox',
  private: null,
}

const wallets = [
  ['tronlink', 'TronLink'],
  ['tokenpocket', 'TokenPocket'],
  ['imtoken', 'imToken'],
] as const

/** Where to send the money: QR code, address, the warning, and the shortcuts of wallets and of the sandbox. */
export function PayPanel(props: { view: CheckoutView; words: Words }) {
  const { view, words } = props
  return (
    <section class="pay" aria-labelledby="address-label">
      <div class="qr" dangerouslySetInnerHTML={{ __html: view.qrSvg }} />
      <p class="quiet hint">{words.qrHint}</p>
      <div class="above">
        <h2 id="address-label">{words.address}</h2>
        <CopyButton id="copy-address" text={view.address} label={words.copyAddressLabel} words={words} />
      </div>
      <code class="address">
        <Fours text={view.address} />
      </code>
      <p class="warning">
        <strong>{words.onlyUsdt}</strong> {words.onlyUsdtWhy}
      </p>
      {view.wallets && <WalletRow view={view} words={words} />}
      {view.sandboxPay && <SandboxButtons view={view} words={words} />}
    </section>
  )
}

/** Hidden until the browser's module finds a wallet in the page, or a phone that may have one. It writes the links too. */
function WalletRow(props: { view: CheckoutView; words: Words }) {
  const { view, words } = props
  const chain = chainIds[view.network]
  if (chain === null) return null
  return (
    <div
      id="wallet"
      class="wallet"
      data-chain={chain}
      data-contract={view.usdtContract}
      data-address={view.address}
      data-units={view.amountUnits}
    >
      <button type="button" id="wallet-pay" class="button" hidden>
        {words.payWithWallet}
      </button>
      <p id="wallet-says" class="quiet" hidden />
      <div id="wallet-links" hidden>
        <h2>{words.openIn}</h2>
        <div class="choices">
          {wallets.map(([wallet, name]) => (
            <a key={wallet} class="button plain" href="#wallet" data-wallet={wallet}>
              {name}
            </a>
          ))}
        </div>
      </div>
    </div>
  )
}

function SandboxButtons(props: { view: CheckoutView; words: Words }) {
  const { view, words } = props
  return (
    <form class="sandbox" method="post" action={`${view.path}/sandbox?lang=${view.locale}`}>
      <h2>{words.sandbox.title}</h2>
      <div class="choices">
        {(['exact', 'half', 'double', 'late'] as const).map(what => (
          <button
            key={what}
            id={`sandbox-${what}`}
            type="submit"
            name="what"
            value={what}
            class="button plain"
          >
            {words.sandbox[what]}
          </button>
        ))}
      </div>
    </form>
  )
}
