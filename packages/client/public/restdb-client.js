/*
 * The client that GET /rest/_jsapi.js serves: restdb.io's JavaScript API on fetch and the browser's own EventSource. It defines `restdb`, and `db` as the same
 * unless the page has one.
 * The server puts the collections of the key in the place of the last argument. Sources of the contract: restdb.io/docs/javascript-api
 * and /docs/realtime-messaging.
 */

/**
 * @typedef {Record<string, unknown> & { _id?: string }} Fields
 * @typedef {(error: unknown, result?: any, pagination?: any) => void} Callback
 * @typedef {{ url?: string, logging?: boolean, realtime?: boolean, jwt?: boolean, reconnectdelay?: number }} Options
 * @typedef {{ name: string, property: string }} Collection
 * @typedef {{ event: string, collection?: string, data: any }} Message
 * @typedef {{ collections: readonly Collection[], isOpen: boolean }} Reach
 */

/** @param {Reach} reach */ ((reach) => {
  /** What the stream is looked at for, and how old its last ping may be. The server pings at least every 8 s. */
  const watchIntervalMs = 20_000;
  const silenceLimitMs = 25_000;
  /** Words of `on` that are no names of custom events. PATCH is heard as PUT: both are one kind of event. */
  const words = ['POST', 'PUT', 'PATCH', 'DELETE', 'RENAME', 'DROP', 'CONNECT', 'DISCONNECT', 'RECONNECT', 'RESET'];
  /** Names that stay `db`'s own; a collection of that name is reached by `db.collection(name)`. */
  const ownNames = ['collection', 'close', 'on', 'publish', 'url'];

  const script = document.currentScript;
  const isOwnScript = script instanceof HTMLScriptElement && /\/rest\/_jsapi\.js(\?|$)/.test(script.src);
  /** The folder above /rest, where this script came from; behind a proxy it may have a path. */
  const home = new URL('..', isOwnScript ? script.src : new URL('/rest/', location.href)).href;

  /**
   * Gives the outcome to the callback, or as a promise when there is none. What a callback throws is the page's own error: it is reported as such
   * and never comes back as `err`.
   * @template T
   * @param {Promise<T>} outcome
   * @param {unknown} callback
   * @param {(value: T) => unknown[]} [extra]
   */
  function deliver(outcome, callback, extra = () => []) {
    if (typeof callback !== 'function') return outcome;
    outcome.then(
      (value) => queueMicrotask(() => callback(null, value, ...extra(value))),
      (error) => queueMicrotask(() => callback(error)),
    );
    return undefined;
  }

  /**
   * The problem of a refused request as an Error: `message`, `name`, `status` and `list` as clients of restdb.io read them, `code`, `errors` and
   * `requestId` besides.
   * @param {Response} response
   */
  async function errorOf(response) {
    const text = await response.text();
    /** @type {Record<string, unknown>} */
    let body = {};
    try {
      body = Object(JSON.parse(text));
    } catch {
      // A proxy between answered with something else: the status is all there is to say.
    }
    const message = typeof body.message === 'string' ? body.message : `The server answered with ${response.status}.`;
    return Object.assign(new Error(message), body, { message, status: response.status });
  }

  /** @param {unknown} cause */
  function connectionError(cause) {
    const message = 'The server could not be reached, or its answer may not be read by this page.';
    return Object.assign(new Error(message, { cause }), { status: 0, code: 'no_connection' });
  }

  /** Callbacks by word or name; each is called with `(null, message)`, or with an error when the stream was refused. */
  function createListeners() {
    /** @type {Map<string, Set<Callback>>} */
    const byName = new Map();
    return {
      /** @param {string} name @param {Callback} callback */
      add(name, callback) {
        const callbacks = byName.get(name) ?? new Set();
        byName.set(name, callbacks.add(callback));
        return () => void callbacks.delete(callback);
      },
      /** @param {string} name @param {unknown} [message] */
      emit(name, message) {
        for (const callback of byName.get(name) ?? []) queueMicrotask(() => callback(null, message));
      },
      /** @param {unknown} error */
      fail(error) {
        for (const callbacks of byName.values()) {
          for (const callback of callbacks) queueMicrotask(() => callback(error));
        }
      },
    };
  }

  /**
   * One stream. The browser comes back by itself with its cursor when the line breaks. What it gives up on is opened again here, with the cursor in the query,
   * unless the server refuses it for good; and so is a stream that has been silent for too long.
   * @param {{ address: (lastEventId: string) => string, reconnectDelayMs: number, log: (...parts: unknown[]) => void,
   *   onMessage: (type: string, message: Message) => void, onState: (word: string) => void, onRefused: (error: unknown) => void }} options
   */
  function openStream({ address, reconnectDelayMs, log, onMessage, onState, onRefused }) {
    let lastEventId = '';
    let lastSignAt = Date.now();
    let wasOpen = false;
    let isOpen = false;
    let isClosed = false;
    /** @type {EventSource} */
    let source;
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    let timer;

    /**
     * A stream is open when something comes on it: an answer that only says when to come back opens and ends, too.
     * @param {MessageEvent} event
     */
    const note = (event) => {
      lastSignAt = Date.now();
      if (event.lastEventId !== '') lastEventId = event.lastEventId;
      if (isOpen) return;
      isOpen = true;
      onState(wasOpen ? 'RECONNECT' : 'CONNECT');
      wasOpen = true;
    };

    function lose() {
      if (isOpen) onState('DISCONNECT');
      isOpen = false;
    }

    function connect() {
      source?.close();
      if (isClosed) return;
      lastSignAt = Date.now();
      const opened = new EventSource(address(lastEventId));
      source = opened;
      opened.onopen = () => {
        lastSignAt = Date.now();
      };
      opened.onmessage = note;
      opened.addEventListener('ping', note);
      for (const type of ['post', 'put', 'delete', 'rename', 'drop', 'publish', 'reset']) {
        opened.addEventListener(type, (event) => {
          note(event);
          log('event', type, event.data);
          onMessage(type, JSON.parse(event.data));
        });
      }
      opened.onerror = () => {
        lose();
        if (opened.readyState === EventSource.CLOSED && opened === source) void reopen();
      };
    }

    async function reopen() {
      const refusal = await findRefusal();
      if (isClosed) return;
      if (refusal !== null) {
        close();
        onRefused(refusal);
      } else timer = setTimeout(connect, reconnectDelayMs);
    }

    /** An EventSource does not tell why it gave up, so the same request is sent once more. Null when trying again may help. */
    async function findRefusal() {
      const stop = new AbortController();
      try {
        const response = await fetch(address(lastEventId), {
          headers: { accept: 'text/event-stream' },
          signal: stop.signal,
        });
        const isFinal = response.status >= 400 && response.status < 500 && response.status !== 429;
        return isFinal ? await errorOf(response) : null;
      } catch {
        return null;
      } finally {
        stop.abort();
      }
    }

    const watchdog = setInterval(() => {
      if (source.readyState === EventSource.CLOSED || Date.now() - lastSignAt < silenceLimitMs) return;
      log('the stream is silent; connecting again');
      lose();
      connect();
    }, watchIntervalMs);

    function close() {
      isClosed = true;
      clearInterval(watchdog);
      clearTimeout(timer);
      source.close();
    }

    connect();
    return { close };
  }

  /**
   * @param {string} key the text of an API key
   * @param {Options} [options]
   */
  function createDatabase(key, options = {}) {
    const url = (options.url ?? home).replace(/\/+$/, '');
    const carrier = options.jwt ? 'token' : 'apikey';
    /** @type {Record<string, string>} */
    const identity = options.jwt ? { authorization: `Bearer ${key}` } : { 'x-apikey': key };
    const listeners = createListeners();
    /** @type {ReturnType<typeof openStream> | null} */
    let stream = null;

    /** @param {unknown[]} parts */
    const log = (...parts) => {
      if (options.logging) console.log('restdb', ...parts);
    };

    /**
     * @param {string} method
     * @param {string} path
     * @param {unknown} [body]
     * @returns {Promise<{ value: any, pagination: unknown }>}
     */
    async function request(method, path, body) {
      const hasBody = body !== undefined;
      log(method, path);
      /** @type {Response} */
      let response;
      try {
        response = await fetch(url + path, {
          method,
          headers: { ...identity, ...(hasBody ? { 'content-type': 'application/json' } : {}) },
          ...(hasBody ? { body: JSON.stringify(body) } : {}),
        });
      } catch (error) {
        throw connectionError(error);
      }
      if (!response.ok) throw await errorOf(response);
      const pagination = JSON.parse(response.headers.get('x-pagination') ?? 'null');
      return { value: await response.json(), pagination };
    }

    function listen() {
      stream ??= openStream({
        address(lastEventId) {
          const query = new URLSearchParams({ [carrier]: key, ...(lastEventId === '' ? {} : { lastEventId }) });
          return `${url}/realtime?${query}`;
        },
        reconnectDelayMs: options.reconnectdelay ?? 5_000,
        log,
        onMessage(type, message) {
          if (type !== 'publish') listeners.emit(type.toUpperCase(), message);
          else if (!words.includes(message.event)) listeners.emit(message.event, message);
        },
        onState: (word) => listeners.emit(word),
        onRefused(error) {
          stream = null;
          listeners.fail(error);
        },
      });
    }

    /**
     * Registers and gives the function that takes it back. `fits` narrows what the callback is called with.
     * @param {string} event @param {Callback} callback @param {(message: Message) => boolean} [fits]
     */
    function on(event, callback, fits = () => true) {
      const upper = event.toUpperCase();
      const name = upper === 'PATCH' ? 'PUT' : words.includes(upper) ? upper : event;
      const off = listeners.add(name, (error, message) => {
        if (error || message === undefined || fits(message)) callback(error, message);
      });
      if (options.realtime === false) {
        queueMicrotask(() => callback(new Error('The option realtime is false: nothing will be heard.')));
      } else listen();
      return off;
    }

    /** The class of a collection's documents. @param {string} name */
    function defineCollection(name) {
      const path = `/rest/${encodeURIComponent(name)}`;

      class Document {
        /** @param {Fields} [fields] */
        constructor(fields) {
          Object.assign(this, fields);
        }

        /** Creates the document, or changes it when it has an `_id`. @param {Callback} [callback] */
        save(callback) {
          const id = idOf(this);
          const saved = id === undefined ? request('POST', path, this) : request('PUT', `${path}/${id}`, this);
          return deliver(
            saved.then(({ value }) => Object.assign(this, value)),
            callback,
          );
        }

        /** Gives its `_id`. @param {Callback} [callback] */
        delete(callback) {
          return deliver(
            request('DELETE', `${path}/${needId(this)}`).then(({ value }) => value.result[0]),
            callback,
          );
        }

        /** Takes the fields of the server in the place of its own. @param {Callback} [callback] */
        reload(callback) {
          const reloaded = request('GET', `${path}/${needId(this)}`).then(({ value }) => {
            for (const field of Object.keys(this)) Reflect.deleteProperty(this, field);
            return Object.assign(this, value);
          });
          return deliver(reloaded, callback);
        }

        /** PUT and DELETE of this document. @param {string} event @param {Callback} callback */
        on(event, callback) {
          return on(event, callback, ({ collection, data }) => collection === name && isAbout(data, idOf(this)));
        }

        /** @param {unknown} [query] @param {unknown} [hints] @param {Callback} [callback] */
        static find(query, hints, callback) {
          const given = [query, hints, callback];
          const last = given.find((one) => typeof one === 'function');
          const [q = {}, h = {}] = given.slice(0, last === undefined ? 2 : given.indexOf(last));
          const search = new URLSearchParams({ q: JSON.stringify(q ?? {}), h: JSON.stringify(h ?? {}) });
          const found = request('GET', `${path}?${search}`);
          /** @type {unknown} */
          let pagination = null;
          const documents = found.then((answer) => {
            pagination = answer.pagination;
            return Array.isArray(answer.value) ? answer.value.map((fields) => new Document(fields)) : answer.value;
          });
          return deliver(documents, last, () => [pagination]);
        }

        /** @param {string} id @param {Callback} [callback] */
        static getById(id, callback) {
          const found = request('GET', `${path}/${encodeURIComponent(id)}`);
          return deliver(
            found.then(({ value }) => new Document(value)),
            callback,
          );
        }

        /** @param {string} event @param {Callback} callback */
        static on(event, callback) {
          return on(event, callback, ({ collection }) => collection === undefined || collection === name);
        }
      }
      return Document;
    }

    /** @type {Map<string, ReturnType<typeof defineCollection>>} */
    const classes = new Map();
    /** @param {string} name */
    const collection = (name) => {
      const known = classes.get(name) ?? defineCollection(name);
      classes.set(name, known);
      return known;
    };

    /** @type {Record<string, unknown>} */
    const database = {
      url,
      collection,
      /** @param {string} event @param {Callback} callback */
      on: (event, callback) => on(event, callback),
      /** @param {string} name @param {unknown} data @param {Callback} [callback] */
      publish: (name, data, callback) =>
        deliver(
          request('POST', '/realtime', { event: name, ...(data === undefined ? {} : { data }) }).then(
            ({ value }) => value,
          ),
          callback,
        ),
      /** Ends the stream. */
      close() {
        stream?.close();
        stream = null;
      },
    };
    for (const { name, property } of reach.collections) {
      if (!ownNames.includes(property) && !Object.hasOwn(database, property)) database[property] = collection(name);
    }
    if (options.realtime) listen();
    return reach.isOpen ? openTo(database, collection) : database;
  }

  /**
   * A key that reaches every collection reaches those, too, that are not there yet: any other property is the collection of that name. Not `then`, which would make
   * a promise of the database.
   * @param {Record<string, unknown>} database
   * @param {(name: string) => unknown} collection
   */
  function openTo(database, collection) {
    return new Proxy(database, {
      get(target, property) {
        if (typeof property !== 'string' || property in target || property === 'then' || property === 'toJSON')
          return Reflect.get(target, property);
        return collection(property);
      },
    });
  }

  /** @param {object} document */
  function idOf(document) {
    const id = /** @type {Fields} */ (document)._id;
    return typeof id === 'string' ? encodeURIComponent(id) : undefined;
  }

  /** @param {object} document */
  function needId(document) {
    const id = idOf(document);
    if (id === undefined) throw new Error('The document has no _id yet: save it first.');
    return id;
  }

  /** Whether the data of an event, an id, a list of ids or a whole document, is about this document. @param {unknown} data @param {string | undefined} id */
  function isAbout(data, id) {
    if (id === undefined) return false;
    if (Array.isArray(data)) return data.includes(id);
    return data === id || (typeof data === 'object' && data !== null && idOf(data) === id);
  }

  /** `new restdb(key, options)` gives the database; so does a call without `new`. */
  function restdb(/** @type {string} */ key, /** @type {Options} */ options) {
    return createDatabase(key, options);
  }

  Object.assign(globalThis, {
    restdb,
    // restdb.io's page on realtime messaging writes `var db = new db(…)`, which works where there is a global of that name: `var` leaves its value alone.
    db: Reflect.get(globalThis, 'db') ?? restdb,
  });
})({ collections: [], isOpen: true });
