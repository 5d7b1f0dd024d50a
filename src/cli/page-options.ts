import { readFile, stat } from 'node:fs/promises'
import { type Command, Option } from 'commander'
import { UsageError } from '../base/errors.ts'
import { logoBytesMax, type PageSettings, qrFormats, readLogo } from '../merchants/page-settings.ts'
import { readPageTexts } from '../merchants/setting-text.ts'

/** Adds the options for how a merchant's page for payers looks. */
export function addPageOptions(command: Command): Command {
  return command
    .option('--display-name <name>', 'the shop\'s name on the payer\'s page; "" for none')
    .option(
      '--logo <file>',
      `PNG, JPEG or WebP for that page, at most ${logoBytesMax / 1024} kB; "" for none`,
    )
    .option('--accent <colour>', 'colour of its buttons, such as #0b6e4f; "" for the usual one')
    .option('--support-url <url>', 'where it sends payers who need help; "" for nowhere')
    .addOption(
      new Option('--qr <format>', 'what its QR code says; every wallet reads the plain address').choices(
        qrFormats,
      ),
    )
    .option('--frame-ancestors <list>', 'origins that may show it in a frame, comma-separated; "" for none')
}

/** @returns the settings that are given, undefined where none is. @throws UsageError for a file that is no logo. */
export async function readPageOptions(
  options: Record<string, string | undefined>,
): Promise<Partial<PageSettings> | undefined> {
  const { displayName, logo, accent, supportUrl, qr, frameAncestors } = options
  const texts = readPageTexts({ displayName, accent, supportUrl, qr, frameAncestors })
  const given = logo === undefined ? texts : { ...texts, logo: logo === '' ? null : await readLogoFile(logo) }
  return Object.keys(given).length === 0 ? undefined : given
}

async function readLogoFile(file: string) {
  const about = await stat(file).catch(() => null)
  if (!about?.isFile()) throw new UsageError(`logo: there is no file ${file}`)
  // Not read whole before that is known.
  if (about.size > logoBytesMax)
    throw new UsageError(`logo: at most ${logoBytesMax} bytes, got ${about.size}`)
  return readLogo(await readFile(file))
}
