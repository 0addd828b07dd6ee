/** A page as a user would write it: a native `EventSource`, and a list of what it heard. */
export function listenerPage(url: string): string {
  return `<!doctype html><meta charset="utf-8"><title>Listener</title><ol id="heard"></ol><p id="state"></p><script>
const heard = [];
const source = new EventSource(${JSON.stringify(url)});
source.onopen = () => { document.getElementById('state').textContent = 'open'; };
source.onerror = () => { document.getElementById('state').textContent = source.readyState === 2 ? 'closed' : 'reconnecting'; };
source.onmessage = (event) => { if (JSON.parse(event.data).channel === 'init') document.getElementById('state').textContent = 'ready'; };
for (const type of ['post', 'put', 'delete', 'publish', 'reset', 'revoked']) {
  source.addEventListener(type, (event) => {
    heard.push({ type, id: event.lastEventId, at: Date.now(), data: JSON.parse(event.data) });
    const item = document.createElement('li');
    item.textContent = type + ' ' + event.data;
    document.getElementById('heard').append(item);
  });
}
</script>`;
}

/** What `heard` holds in the page. */
export type Heard = {
  type: string;
  id: string;
  at: number;
  data: { event: string; collection?: string; data: unknown };
};
