/* Shows on the page what its code is given: `seen(place, …)` adds a line to the list of that id, and the console is written to the list `console`. */
function seen(place, ...parts) {
  const line = document.createElement('li');
  line.textContent = parts.map((part) => (typeof part === 'string' ? part : JSON.stringify(part))).join(' ');
  document.getElementById(place)?.append(line);
}

for (const method of ['log', 'error']) {
  const original = console[method].bind(console);
  console[method] = (...parts) => {
    original(...parts);
    seen('console', ...parts.map((part) => (part instanceof Event ? part.type : part)));
  };
}
