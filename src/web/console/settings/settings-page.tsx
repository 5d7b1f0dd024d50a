/** @jsxRuntime automatic @jsxImportSource preact */
import type { ComponentChildren } from 'preact'
import { liveMax } from '../../../merchants/change-merchant.ts'
import { fieldsBesideSix } from '../../../merchants/chosen-fields.ts'
import { type ReadSettings, readSettings } from '../../../merchants/read-settings.ts'
import type { UrlChange } from '../../../merchants/url-change-store.ts'
import { commonWords } from '../parts/common-words.ts'
import { Form, Submit } from '../parts/form-parts.tsx'
import { Facts, Section } from '../parts/list-parts.tsx'
import { can, href, merchantOf, type Page, wordsOf } from '../parts/page.ts'
import type { ShownPage } from '../parts/route.ts'
import { CopyableId, durationText, Time } from '../parts/value-parts.tsx'
import { Swatch } from './looks-form.tsx'
import { settingsWords } from './settings-words.ts'

/** Shows everything that is set for a merchant. What the viewer may change has a link. */
export async function showSettings(page: Page): Promise<ShownPage> {
  const words = wordsOf(page, settingsWords)
  if (!page.merchant) return askForMerchant(page)
  const read = await readSettings(page.context.reads, merchantOf(page).id)
  const done = words.done[page.query.text('done')]
  return {
    ...{ title: words.title, notice: done },
    body: (
      <>
        <div class="title">
          <h1>{words.title}</h1>
        </div>
        <div class="columns">
          <UrlSection page={page} read={read} />
          <CallbacksSection page={page} read={read} />
          <RequestsSection page={page} read={read} />
          <KeysSection page={page} read={read} />
          <LooksSection page={page} read={read} />
          <LimitsSection page={page} />
          {can(page, 'keys') && (
            <Section title={words.account.title}>
              <Facts rows={[[words.account.xpub, <CopyableId page={page} text={read.xpub} key="xpub" />]]} />
              <p class="quiet">{words.account.about}</p>
            </Section>
          )}
        </div>
      </>
    ),
  }
}

/** An admin without a merchant. */
function askForMerchant(page: Page): ShownPage {
  const words = wordsOf(page, settingsWords)
  return {
    title: words.title,
    body: (
      <>
        <div class="title">
          <h1>{words.chooseTitle}</h1>
        </div>
        <div class="empty">
          <p>{words.chooseText}</p>
          <p>
            <a class="button" href={href(page, '/merchants')}>
              {words.toMerchants}
            </a>
          </p>
        </div>
      </>
    ),
  }
}

interface SectionProps {
  page: Page
  read: ReadSettings
}

function UrlSection({ page, read: { settings, waiting } }: SectionProps) {
  const words = wordsOf(page, settingsWords).url
  return (
    <Section title={words.title} id="url">
      <Facts rows={[[words.current, <UrlText url={settings.callbackUrl} none={words.none} key="url" />]]} />
      {waiting && <WaitingUrl page={page} waiting={waiting} />}
      <p class="quiet">{words.about}</p>
      <Change page={page} path="/settings/url" may={can(page, 'keys')} />
    </Section>
  )
}

/** A change that waits, with a button for the owners. */
export function WaitingUrl({ page, waiting }: { page: Page; waiting: UrlChange }) {
  const words = wordsOf(page, settingsWords).url
  return (
    <div class="notice warning">
      <h3>{words.waitingTitle}</h3>
      <Facts
        rows={[
          [words.becomes, <UrlText url={waiting.url} none={words.becomesNone} key="url" />],
          [words.at, <Time at={waiting.effectiveAt} key="at" />],
          [words.by, waiting.askedBy],
        ]}
      />
      {can(page, 'people') ? (
        <Form page={page} action={href(page, '/settings/url/cancel')}>
          <input type="hidden" name="change" value={`${waiting.id}`} />
          <Submit>{words.cancel}</Submit>
        </Form>
      ) : (
        <p>{words.onlyOwners}</p>
      )}
    </div>
  )
}

function UrlText({ url, none }: { url: string | null; none: string }) {
  return url === null ? <span class="quiet">{none}</span> : <code>{url}</code>
}

function CallbacksSection({ page, read: { settings } }: SectionProps) {
  const all = wordsOf(page, settingsWords)
  const words = all.callbacks
  const beside = fieldsBesideSix(settings.callbackFields)
  const { acknowledgement, acknowledgementAnywhere } = settings
  return (
    <Section title={words.title} id="callbacks">
      <Facts
        rows={[
          [words.format, words.formats[settings.callbackFormat]],
          [words.fields, beside.length === 0 ? words.six : <Codes texts={beside} key="fields" />],
          [
            words.acknowledgement,
            acknowledgement === null ? (
              words.acknowledgementAny
            ) : (
              <>
                <code>{acknowledgement}</code> {acknowledgementAnywhere && words.anywhere}
              </>
            ),
          ],
          [
            words.events,
            settings.events.length === 0 ? all.off : <Codes texts={settings.events} key="events" />,
          ],
          [words.deposits, settings.deposits ? all.on : all.off],
        ]}
      />
      <Change page={page} path="/settings/callbacks" may={can(page, 'settings')} />
    </Section>
  )
}

function RequestsSection({ page, read: { settings } }: SectionProps) {
  const all = wordsOf(page, settingsWords)
  const words = all.requests
  const { allowedClients } = settings
  return (
    <Section title={words.title} id="requests">
      <Facts
        rows={[
          [words.nonce, settings.requireNonce ? words.nonceOn : words.nonceOff],
          [
            words.clients,
            allowedClients.length === 0 ? all.every : <Codes texts={allowedClients} key="clients" />,
          ],
          [words.returnUrl, settings.returnUrl ? all.on : all.off],
          [words.always200, settings.always200 ? all.on : all.off],
        ]}
      />
      <Change page={page} path="/settings/requests" may={can(page, 'settings')} />
    </Section>
  )
}

function KeysSection({ page, read: { keys, secrets } }: SectionProps) {
  const words = wordsOf(page, settingsWords).keys
  const live = (list: readonly { live: boolean }[]) => list.filter(one => one.live).length
  const promoted = keys.find(key => key.promoted)
  return (
    <Section title={words.title} id="keys">
      <Facts
        rows={[
          [words.keys, `${live(keys)}`],
          [words.signing, promoted ? `${promoted.id} (${words.schemes[promoted.scheme]})` : words.noKeys],
          [words.secrets, `${live(secrets)}`],
        ]}
      />
      {can(page, 'keys') && (
        <p>
          <a class="button plain" href={href(page, '/settings/keys')}>
            {words.manage}
          </a>
        </p>
      )}
    </Section>
  )
}

function LooksSection({ page, read: { page: looks } }: SectionProps) {
  const all = wordsOf(page, settingsWords)
  const words = all.looks
  const { none } = commonWords(page)
  const quiet = (text: string) => <span class="quiet">{text}</span>
  return (
    <Section title={words.title} id="looks">
      <Facts
        rows={[
          [words.displayName, looks.displayName || quiet(none)],
          [words.accent, looks.accent === null ? words.usual : <Swatch colour={looks.accent} key="accent" />],
          [words.support, looks.supportUrl ? <code>{looks.supportUrl}</code> : quiet(none)],
          [words.qr, words.qrs[looks.qr]],
          [
            words.frames,
            looks.frameAncestors.length === 0 ? quiet(none) : <Codes texts={looks.frameAncestors} key="f" />,
          ],
          [
            words.logo,
            looks.logo ? `${looks.logo.type}, ${Math.ceil(looks.logo.size / 1024)} kB` : quiet(none),
          ],
        ]}
      />
      <Change page={page} path="/settings/looks" may={can(page, 'settings')} />
    </Section>
  )
}

function LimitsSection({ page }: { page: Page }) {
  const words = wordsOf(page, settingsWords).limits
  const { rateLimitPerMinute, ipRateLimitPerMinute, orderWindowMs } = page.context.config
  return (
    <Section title={words.title} id="limits">
      <Facts
        rows={[
          [words.merchant, words.perMinute(rateLimitPerMinute)],
          [words.address, words.perMinute(ipRateLimitPerMinute)],
          [words.window, durationText(orderWindowMs)],
          [words.live, words.each(liveMax)],
        ]}
      />
      <p class="quiet">{words.about}</p>
    </Section>
  )
}

function Codes({ texts }: { texts: readonly string[] }): ComponentChildren {
  return texts.map((text, i) => (
    <>
      {i > 0 && ', '}
      <code>{text}</code>
    </>
  ))
}

function Change({ page, path, may }: { page: Page; path: string; may: boolean }) {
  if (!may) return null
  return (
    <p>
      <a class="button plain" href={href(page, path)}>
        {wordsOf(page, settingsWords).change}
      </a>
    </p>
  )
}
