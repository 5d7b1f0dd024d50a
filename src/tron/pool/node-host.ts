/**
 * Names the host of a node. Two nodes at one host are one source: whoever runs it can make both say the same. The name is
 * compared as it is written, without asking DNS, and `*.trongrid.io` is one host.
 * @param url of the node's head.
 * @param withPort whether another port is another host, as on a private chain, whose nodes may be on one machine.
 */
export function hostOf(url: string, withPort: boolean): string {
  const { host, hostname } = new URL(url)
  const name = (withPort ? host : hostname).toLowerCase()
  return /(^|\.)trongrid\.io$/.test(hostname.toLowerCase()) ? 'trongrid.io' : name
}
