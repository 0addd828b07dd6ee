/** What `start` prints when it is ready: where to look, and two lines to paste that show a change becoming an event. */
import { styleText } from 'node:util';
import type { DemoKey } from './demo-key.js';

export type Welcome = {
  /** Without a slash at the end. */
  url: string;
  /** Where data is, in words. */
  storage: string;
  dashboard: { kind: 'setup'; token: string } | { kind: 'sign in' };
  demoKey: DemoKey | null;
  /** `npx tidewire` with what it needs to find this server's data. */
  command: string;
};

export function renderWelcome({ url, storage, dashboard, demoKey, command }: Welcome, colours: boolean): string {
  const bold = (text: string) => (colours ? styleText('bold', text) : text);
  const dim = (text: string) => (colours ? styleText('dim', text) : text);
  const link = (text: string) => (colours ? styleText('cyan', text) : text);
  const door =
    dashboard.kind === 'setup'
      ? `  Dashboard  ${link(`${url}/setup?token=${dashboard.token}`)}\n             ${dim('This link makes you the admin; it works once.')}`
      : `  Dashboard  ${link(url)}`;
  const lines = ['', bold(`Tidewire is ready on ${url}`), '', door, `  Data       ${storage}`, ''];
  if (demoKey === null) {
    lines.push(`  A key for your application: ${bold(`${command} key create --name app --rest '*:*' --listen '*:*'`)}`);
  } else {
    lines.push(`  Demo key   ${bold(demoKey.text)}`, `             ${dim(describeGrants(demoKey))}`, '');
    lines.push('  Hear every change, in one terminal:', `    ${curlListen(url, demoKey.text)}`, '');
    lines.push('  Make one, in another:', `    ${curlWrite(url, demoKey.text)}`);
  }
  lines.push('', dim('  Ctrl-C stops it.'), '');
  return lines.join('\n');
}

function describeGrants({ grants }: DemoKey): string {
  const parts = (['rest', 'listen', 'publish', 'origins'] as const).map(
    (kind) => `${kind} ${grants[kind].join(' ') || 'nothing'}`,
  );
  return `It may: ${parts.join(', ')}. Only this machine can reach it.`;
}

function curlListen(url: string, key: string): string {
  return `curl -N '${url}/realtime?apikey=${key}'`;
}

function curlWrite(url: string, key: string): string {
  return `curl -X POST ${url}/rest/company -H 'x-apikey: ${key}' -H 'content-type: application/json' -d '{"name":"ACME"}'`;
}
