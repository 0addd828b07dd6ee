// Shows /openapi.json. A key behind the # (as in /docs#apikey=…) never leaves the browser in a URL: it goes along as a header, and the
// reference is then that of the key's own collections.
const key = new URLSearchParams(location.hash.slice(1)).get('apikey');

const ui = globalThis.SwaggerUIBundle({
  url: '/openapi.json',
  dom_id: '#reference',
  validatorUrl: null,
  requestInterceptor(request) {
    const isDescription = new URL(request.url, location.href).pathname === '/openapi.json';
    if (key !== null && isDescription) request.headers['x-apikey'] = key;
    return request;
  },
  onComplete() {
    if (key !== null) ui.preauthorizeApiKey('apikey', key);
  },
});
