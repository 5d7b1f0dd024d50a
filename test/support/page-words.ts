/** What a page says: its text without tags, and without what is not shown. */
export function pageWords(html: string): string {
  return html
    .replace(/<(title|script|style)[^>]*>.*?<\/\1>/gs, ' ')
    .replace(/<[^>]+>/g, ' ')
    .replaceAll('&amp;', '&')
    .replaceAll('&#39;', "'")
    .replace(/\s+/g, ' ')
}
