/** Bodies of requests that are broken, extreme or merely strange, each with what must become of it. Made by code, from lists. */
import { brotliCompressSync, deflateSync, gzipSync } from 'node:zlib';
import { naughtyTexts } from './naughty-texts.fixture.js';

/** `stored`: a 2xx, and the document comes back as it was; else the status of the refusal. */
export type Fate = 'stored' | 400 | 413 | 415 | 422;
export type HostileBody = {
  name: string;
  body: string | Buffer | readonly Buffer[];
  fate: Fate;
  headers?: Readonly<Record<string, string>>;
};

const mebibyte = 1024 * 1024;
const of = (name: string, fate: Fate, bodies: readonly HostileBody['body'][]): HostileBody[] =>
  bodies.map((body, index) => ({ name: `${name} ${index}`, body, fate }));
const times = <T>(count: number, make: (index: number) => T): T[] =>
  Array.from({ length: count }, (_, index) => make(index));
const bytes = (...values: number[]) => Buffer.from(values);
/** Bytes in the place of `#`. */
function around(template: string, middle: Buffer): Buffer {
  const [before = '', after = ''] = template.split('#');
  return Buffer.concat([Buffer.from(before), middle, Buffer.from(after)]);
}

/** Every kind of brackets, quotes, separators and remarks that is no JSON, around every kind of value. */
function brokenStructures(): HostileBody[] {
  const values = ['1', '"x"', 'null', 'true', '[]', '{}'];
  const templates = [
    '{"a":#,}',
    '{"a":#',
    '"a":#}',
    '{"a" #}',
    '{"a"::#}',
    '{"a":#}}',
    '{"a":# "b":1}',
    '{,"a":#}',
    '{"a":#,,"b":1}',
    '{a:#}',
    "{'a':#}",
    '{"a:#}',
    '{"a":#};',
    '{"a":#} {}',
    '{"a":#}\n{"b":1}',
    '{"a":#}//',
    '{"a":#/**/}',
    '#!{"a":1}',
    '{"a":[#}',
    '{"a":[#,]}',
    '{"a":[,#]}',
    '{"a":[#}]',
    '{"a":[#]]}',
    '{"a":[# #]}',
    '("a":#)',
    '{"a"=#}',
    '{"a",#}',
    '{null:#}',
    '{1:#}',
    '{[]:#}',
    '{{}:#}',
    '{"a":{#}}',
    '<x>#</x>',
    'f(#)',
    ')]}\'\n{"a":#}',
    '{"a":+#}',
    '{"a":-#x}',
    '\ufeff{"a":#}',
    '{"a":#}\0',
    '{"a":\u00a0#}',
    '\u2028{"a":#}',
    '{"a":\f#}',
    '{"a":\v#}',
    '{"a":#\u3000}',
    '{"a":...#}',
    '{"a":#;"b":1}',
    '{"a":#}x',
    'a={"a":#}',
    '{"a":#}]',
    '[{"a":#}',
    '[{"a":#},]',
    '[{"a":#}{}]',
    '{"a":@#}',
  ];
  return templates.flatMap((template) =>
    of(
      `structure ${template}`,
      400,
      values.map((value) => template.replace('#', value)),
    ),
  );
}

/** What other languages call a value. */
function brokenLiterals(): HostileBody[] {
  const literals = [
    'nul',
    'nulll',
    'Null',
    'NULL',
    'None',
    'nil',
    'True',
    'TRUE',
    'tru',
    'FALSE',
    'undefined',
    'NaN',
    'nan',
    'Infinity',
    '-Infinity',
    'Inf',
    '-',
    '--1',
    '+1',
    '.5',
    '-.5',
    '5.',
    '-5.',
    '1.e5',
    '.e1',
    '1e',
    '1E+',
    '1e-',
    '1e1.5',
    '1ee1',
    '01',
    '-01',
    '00',
    '1 000',
    '1_000',
    '1n',
    '1f',
    '0x1F',
    '0b1',
    '0o7',
    '1/2',
    '(1)',
    '１',
    '٣',
    '∞',
    '½',
    "'x'",
    '`x`',
    '/x/',
    '"x',
    'x"',
    '"x""y"',
    '"x"+"y"',
    'x',
    '=1',
    '\\',
    '\\"x\\"',
    'new Date()',
    'function(){}',
    '()=>1',
    '!0',
    '~1',
    '1;',
    '"\t"',
    '"\n"',
    '"\\x41"',
    '"\\a"',
    '"\\\'"',
    '"\\0"',
    '"\\u"',
    '"\\u12"',
    '"\\u12G4"',
    '"\\U0041"',
    '"\\u{41}"',
    '"\\ "',
    '"\\\n"',
    '"\\"',
    '"\\u 041"',
    '"\\ud83d\\u"',
    '"\\\u00e9"',
    '[1:2]',
    '[1 2]',
    '[1;2]',
    '[1,,2]',
    '[,]',
    '{"b"}',
    '{"b":}',
    '{:1}',
  ];
  return ['{"a":#}', '{"a":[1,#]}', '{"b":{"a":#}}'].flatMap((template) =>
    of(
      `literal in ${template}`,
      400,
      literals.map((literal) => template.replace('#', () => literal)),
    ),
  );
}

const numberTexts = [
  ...[
    '0',
    '-0',
    '0.0',
    '-0.0',
    '0e0',
    '0e1',
    '0E-5',
    '1',
    '-1',
    '1.0',
    '1.50',
    '1e0',
    '1e5',
    '1E5',
    '1e+5',
    '1e-5',
    '0.1',
    '0.30000000000000004',
  ],
  ...[
    '123456789012345',
    '1234567890123456',
    '9007199254740991',
    '9007199254740992',
    '9007199254740993',
    '-9007199254740991',
    '-9007199254740992',
  ],
  ...[
    '-9007199254740993',
    '9007199254740994',
    '9223372036854775807',
    '9223372036854775808',
    '18446744073709551615',
    '18446744073709551616',
  ],
  ...[
    '100000000000000000000',
    '100000000000000000001',
    '1e21',
    '1e22',
    '1e23',
    '1e100',
    '1e307',
    '1e308',
    '1.7976931348623157e308',
    '1.7976931348623159e308',
  ],
  ...[
    '1e309',
    '-1e309',
    '1e400',
    '1e999999999',
    '-1e400',
    '1E400',
    '0.1e310',
    '5e-324',
    '4.9e-324',
    '3e-324',
    '2e-324',
    '1e-323',
    '1e-324',
    '1e-400',
  ],
  ...[
    '-1e-400',
    '0e999999',
    '2.2250738585072011e-308',
    '2.2250738585072014e-308',
    '0.1000000000000000055511151231257827',
    '3.141592653589793238462643',
  ],
  ...[
    '1'.repeat(15),
    '1'.repeat(16),
    '1'.repeat(17),
    '1'.repeat(30),
    '1'.repeat(400),
    '9'.repeat(20),
    `1${'0'.repeat(22)}`,
    `1${'0'.repeat(308)}`,
  ],
  ...[
    `1${'0'.repeat(309)}`,
    `0.${'0'.repeat(330)}1`,
    `0.${'3'.repeat(1_000)}`,
    `1e${'0'.repeat(100)}5`,
    `-${'1'.repeat(16)}`,
  ],
  ...times(20, (n) => String(2n ** BigInt(50 + n))),
  ...times(20, (n) => String(2n ** BigInt(50 + n) + 1n)),
];

/** By exact arithmetic: what no double holds is refused, fractions are rounded as everywhere, and everything else stays. */
function fateOfNumber(text: string): Fate {
  const value = Number(text);
  if (!Number.isFinite(value)) return 422;
  if (value === 0 && /[1-9]/.test(text.split(/e/i, 1)[0] ?? '')) return 422;
  if (!/^-?\d+$/.test(text)) return 'stored';
  const isShownWhole = BigInt(value) === BigInt(text) || JSON.stringify(value) === text || isWrittenOut(value, text);
  return isShownWhole ? 'stored' : 422;
}

/** 1e22 and the like: the shortest digits of the double, with zeros behind. */
function isWrittenOut(value: number, text: string): boolean {
  const [digits = '', exponent = '0'] = value.toExponential().split('e');
  const plain = digits.replace('.', '');
  return plain + '0'.repeat(Math.max(0, Number(exponent) + 1 - plain.replace('-', '').length)) === text;
}

function numbers(): HostileBody[] {
  return ['{"a":#}', '{"a":[#,#]}', '{"a":{"b":#}}'].flatMap((template) =>
    numberTexts.map((text) => ({
      name: `number ${text.slice(0, 40)} in ${template}`,
      body: template.replaceAll('#', text),
      fate: fateOfNumber(text),
    })),
  );
}

const sample = Buffer.from(
  '{"text":"Zoë \\u00e9 \\n 😀","list":[1,-2.5e3,true,false,null,{"deep":["",{}]}],"empty":{},"n":0.25}',
);

/** A good document that ends too early, and with a byte that may stand nowhere. */
function damaged(): HostileBody[] {
  const at = times(sample.length, (index) => index);
  const withByte = (index: number, byte: number) =>
    Buffer.concat([sample.subarray(0, index), bytes(byte), sample.subarray(index + 1)]);
  return [
    { name: 'the sample', body: sample, fate: 'stored' },
    ...of(
      'cut at',
      400,
      at.map((index) => sample.subarray(0, index)),
    ),
    ...of(
      '0x01 at',
      400,
      at.map((index) => withByte(index, 1)),
    ),
    ...of(
      '0xff at',
      400,
      at.map((index) => withByte(index, 0xff)),
    ),
    ...of(
      'without the first of',
      400,
      at.slice(1).map((index) => sample.subarray(index)),
    ),
  ];
}

/** Texts with controls, NUL and surrogates, spelled raw and in escapes, as values and as keys. */
function characters(): HostileBody[] {
  const control = times(32, (code) => code);
  const escaped = (code: number) => `\\u${code.toString(16).padStart(4, '0')}`;
  const units = ['\\ud800', '\\udbff', '\\udc00', '\\uDFFF', '\\uD83D', '\\ude00', 'x', '\\u0041', '\\\\', '\\"'];
  const spelled = [
    ...units,
    ...units.flatMap((a) => units.map((b) => a + b)),
    ...units.map((a) => `\\ud83d${a}\\ude00`),
  ];
  const fateOf = (text: string): Fate => {
    const value = JSON.parse(`"${text}"`) as string;
    return /\p{Surrogate}/u.test(value) || value.includes('\0') ? 422 : 'stored';
  };
  return ['{"a":"#"}', '{"#":1}', '{"a":[{"x#y":["#"]}]}'].flatMap((template) => [
    ...of(
      'raw control',
      400,
      control.map((code) => template.replaceAll('#', String.fromCharCode(code))),
    ),
    ...control.map((code) => ({
      name: `escaped control ${code} in ${template}`,
      body: template.replaceAll('#', escaped(code)),
      fate: code === 0 ? (422 as const) : ('stored' as const),
    })),
    ...spelled.map((text) => ({
      name: `${text} in ${template}`,
      body: template.replaceAll('#', () => text),
      fate: fateOf(text),
    })),
  ]);
}

/** What is no UTF-8 (RFC 3629): overlong, cut, surrogates, beyond U+10FFFF; and encodings that are another one. */
function encodings(): HostileBody[] {
  const sequences = [
    ...[0x80, 0xbf, 0xc0, 0xc1, 0xc2, 0xdf, 0xe0, 0xef, 0xf0, 0xf4, 0xf5, 0xf8, 0xfc, 0xfe, 0xff].map((byte) =>
      bytes(byte),
    ),
    ...[
      [0xc0, 0x80],
      [0xc0, 0xaf],
      [0xc1, 0xbf],
      [0xc3, 0x28],
      [0xe0, 0x80, 0x80],
      [0xe0, 0x9f, 0xbf],
      [0xe2, 0x82],
      [0xe2, 0x28, 0xa1],
    ].map((b) => bytes(...b)),
    ...[
      [0xed, 0xa0, 0x80],
      [0xed, 0xaf, 0xbf],
      [0xed, 0xb0, 0x80],
      [0xed, 0xbf, 0xbf],
      [0xed, 0xa0, 0xbd, 0xed, 0xb8, 0x80],
    ].map((b) => bytes(...b)),
    ...[
      [0xf0, 0x80, 0x80, 0x80],
      [0xf0, 0x8f, 0xbf, 0xbf],
      [0xf0, 0x9f, 0x98],
      [0xf4, 0x90, 0x80, 0x80],
      [0xf7, 0xbf, 0xbf, 0xbf],
    ].map((b) => bytes(...b)),
    ...[
      [0xf8, 0x88, 0x80, 0x80, 0x80],
      [0xfc, 0x84, 0x80, 0x80, 0x80, 0x80],
      [0xff, 0xfe],
      [0xfe, 0xff],
      [0xe9],
      [0xa4, 0xa2],
    ].map((b) => bytes(...b)),
  ];
  const text = '{"a":"é"}';
  const swapped = (encoded: Buffer) => Buffer.from(encoded).swap16();
  const utf16 = Buffer.from(text, 'utf16le');
  const utf32 = Buffer.concat([...text].map((character) => bytes(character.charCodeAt(0), 0, 0, 0)));
  return [
    ...['{"a":"#"}', '{"#":1}', '{"a":1}#', '#{"a":1}'].flatMap((template) =>
      of(
        `bytes in ${template}`,
        400,
        sequences.map((sequence) => around(template, sequence)),
      ),
    ),
    ...of('UTF-16 and UTF-32', 400, [
      utf16,
      swapped(utf16),
      Buffer.concat([bytes(0xff, 0xfe), utf16]),
      Buffer.concat([bytes(0xfe, 0xff), swapped(utf16)]),
      utf32,
      Buffer.from(utf32).swap32(),
      Buffer.concat([bytes(0xff, 0xfe, 0, 0), utf32]),
      Buffer.from(text, 'latin1'),
      Buffer.from('+AHs-+ACI-a+ACI-:1+AH0-'),
      Buffer.concat([bytes(0xef, 0xbb, 0xbf), Buffer.from(text)]),
      Buffer.alloc(100),
      Buffer.alloc(1_000, 0xef),
    ]),
  ];
}

function naughty(): HostileBody[] {
  const isKey = (text: string) => !/^[_$]/.test(text) && Buffer.byteLength(text) <= 512;
  return naughtyTexts.flatMap((text): HostileBody[] => {
    const name = JSON.stringify(text).slice(0, 60);
    return [
      { name: `value ${name}`, body: JSON.stringify({ a: text }), fate: 'stored' },
      { name: `values ${name}`, body: JSON.stringify({ a: [text, { b: [text] }] }), fate: 'stored' },
      { name: `key ${name}`, body: `{${JSON.stringify(text)}:1}`, fate: isKey(text) ? 'stored' : 422 },
      {
        name: `nested key ${name}`,
        body: `{"a":{${JSON.stringify(text)}:{${JSON.stringify(text)}:0}}}`,
        fate: isKey(text) ? 'stored' : 422,
      },
    ];
  });
}

function names(): HostileBody[] {
  const refused = ['__proto__', '\\u005f_proto__', '$where', '$gt', '$', '$\\u0000'];
  const twice = [
    '{"a":1,"a":1}',
    '{"a":1,"b":2,"a":3}',
    '{"a":1,"\\u0061":2}',
    '{"x":[{"é":1,"\\u00e9":2}]}',
    '{"a":{"b":{},"b":{}}}',
    '{"":1,"":2}',
  ];
  return [
    ...of(
      'root key of ours',
      422,
      ['_', '_x', '_seq', '_db', '__proto', '_\\u0000'].map((key) => `{"${key}":1}`),
    ),
    ...of(
      'refused key',
      422,
      refused.flatMap((key) => [`{"a":{"${key}":1}}`, `{"a":[{"b":[{"${key}":{}}]}]}`, `[{"a":1},{"a":{"${key}":1}}]`]),
    ),
    ...of('key twice', 422, twice),
    ...of(
      'nested name of ours',
      'stored',
      ['_', '_id', '_version', '_seq'].map((key) => `{"a":{"${key}":1}}`),
    ),
    ...of(
      'name of every object',
      'stored',
      ['constructor', 'prototype', 'toString', 'valueOf', '__defineGetter__x', 'length'].flatMap((key) =>
        key.startsWith('_') ? [] : [`{"${key}":1}`, `{"a":{"${key}":{"${key}":null}}}`],
      ),
    ),
    ...of('other key', 'stored', [
      '{"":1}',
      '{"":{"":{"":[]}}}',
      '{" ":1}',
      '{".":1}',
      '{"a.b":1,"a":{"b":2}}',
      '{"a..b":1}',
      '{"0":1,"1":2}',
      '{"A":1,"a":2}',
      '{"é":1,"e\\u0301":2}',
    ]),
  ];
}

const objects = (depth: number) => `${'{"a":'.repeat(depth)}1${'}'.repeat(depth)}`;
const arrays = (depth: number) => `{"a":${'['.repeat(depth - 1)}${']'.repeat(depth - 1)}}`;
const mixed = (depth: number) => `${'{"a":['.repeat(depth / 2)}${']}'.repeat(depth / 2)}`;

/** On both sides of every bound. */
function sizes(): HostileBody[] {
  const width = (count: number) => `{${times(count, (n) => `"k${n}":1`).join()}}`;
  const key = (unit: string, count: number) => `{"${unit.repeat(count)}":1}`;
  const long = (size: number) => `{"a":"${'x'.repeat(size - 8)}"}`;
  const fit: HostileBody['body'][] = [
    ...[objects, arrays, mixed].flatMap((make) => [2, 32, 62, 64].map(make)),
    ...[
      width(9_999),
      width(10_000),
      key('k', 512),
      key('é', 256),
      key('😀', 128),
      long(mebibyte - 1),
      long(mebibyte),
      long(500_000),
    ],
    ...[
      `${' '.repeat(900_000)}{"a":1}${'\n'.repeat(9_000)}`,
      `{"a":[${'0,'.repeat(400_000)}0]}`,
      `{"a":"${'\\u00e9'.repeat(170_000)}"}`,
    ],
  ];
  const unfit = [
    ...[objects, arrays, mixed].flatMap((make) => [66, 128, 1_000, 10_000, 100_000].map(make)),
    ...[
      objects(65),
      arrays(65),
      width(10_001),
      width(80_000),
      `{"a":{"b":${width(10_001)}}}`,
      key('k', 513),
      key('é', 257),
      key('😀', 129),
      key('k', 100_000),
    ],
  ];
  return [
    ...of('within the bounds', 'stored', fit),
    ...unfit.map(
      (body, index): HostileBody => ({ name: `beyond ${index}`, body, fate: body.length > mebibyte ? 413 : 422 }),
    ),
    ...of('never closed', 400, [
      '['.repeat(100),
      '['.repeat(100_000),
      '{"a":'.repeat(100_000),
      '"'.repeat(99_999),
      '['.repeat(mebibyte),
    ]),
    ...of('too large', 413, [
      long(mebibyte + 1),
      long(2 * mebibyte),
      width(1_000_000),
      long(10 * mebibyte),
      Buffer.alloc(3 * mebibyte),
      '['.repeat(mebibyte + 1),
    ]),
    { name: 'too large, in chunks', body: times(40, () => Buffer.alloc(64 * 1024, 0x20)), fate: 413 },
  ];
}

function types(): HostileBody[] {
  const scalars = ['null', 'true', 'false', '0', '-1', '1.5', '""', '"x"', '"{}"', '"null"', ' 1 ', '1e5', '"\\u0041"'];
  const lists = [
    '[]',
    '[1]',
    '[null]',
    '[[]]',
    '[{},1]',
    '[{},[]]',
    '["x"]',
    '[[{}]]',
    '[{},null]',
    '[true]',
    '[{},{"$a":1}]',
    '[{},{"_x":1}]',
  ];
  const many = `[${times(10_001, () => '{}').join()}]`;
  return [...of('scalar', 422, scalars), ...of('list', 422, [...lists, many])];
}

/** Other media types, other charsets, and bodies that are compressed: taken as they are, they are nothing of ours. */
function headers(): HostileBody[] {
  const body = '{"a":1}';
  const mediaTypes = [
    'text/plain',
    'text/json',
    'application/x-www-form-urlencoded',
    'multipart/form-data; boundary=x',
    'application/octet-stream',
    'application/xml',
    'application/jsonp',
    'application/json-seq',
    'application/x-json',
    'application/ld+json',
    'application/vnd.api+json',
    'json',
    '*/*',
    'application/*',
    'application/json, text/plain',
    'application/json; charset=utf-16',
    'application/json; charset=iso-8859-1',
    'application/json; charset=utf8x',
    'application/json; charset="utf-16"',
    'application/json; charset=utf-8; charset=utf-16',
    'application/json; boundary=x',
    'application/json/x',
    'a',
    'application/json charset=utf-8',
    'application/x-ndjson',
    'text/csv',
    'text/html',
    '"application/json"',
    ';application/json',
    'application/json\tx',
  ];
  const goodTypes = [
    'application/json',
    'APPLICATION/JSON',
    'application/json;',
    'application/json;charset=UTF-8',
    'application/json; charset="utf-8"',
    ' application/json ',
  ];
  const bomb = Buffer.alloc(10 * mebibyte, 0x20);
  const encoded: [string, Buffer][] = [
    ['gzip', gzipSync(body)],
    ['GZIP', gzipSync(body)],
    ['x-gzip', gzipSync(body)],
    ['deflate', deflateSync(body)],
    ['br', brotliCompressSync(body)],
    ['gzip, gzip', gzipSync(gzipSync(body))],
    ['gzip', gzipSync(bomb)],
    ['br', brotliCompressSync(bomb)],
    ['deflate', deflateSync(bomb)],
    ['zstd', Buffer.from(body)],
    ['compress', Buffer.from(body)],
    ['gzip', Buffer.from(body)],
    ['identity, gzip', gzipSync(body)],
    ['x', Buffer.from(body)],
    ['gzip;q=1', gzipSync(body)],
  ];
  return [
    ...mediaTypes.map(
      (type): HostileBody => ({ name: `type ${type}`, body, fate: 415, headers: { 'content-type': type } }),
    ),
    ...goodTypes.map(
      (type): HostileBody => ({ name: `type ${type}`, body, fate: 'stored', headers: { 'content-type': type } }),
    ),
    ...encoded.map(
      ([encoding, bodyOf]): HostileBody => ({
        name: `${encoding}, ${bodyOf.length} bytes`,
        body: bodyOf,
        fate: 415,
        headers: { 'content-encoding': encoding },
      }),
    ),
    { name: 'identity', body, fate: 'stored', headers: { 'content-encoding': 'identity' } },
    { name: 'compressed without saying so', body: gzipSync(body), fate: 400 },
  ];
}

/** Byte by byte, so that characters and escapes are cut between chunks. */
function drips(): HostileBody[] {
  const single = (whole: Buffer) => times(whole.length, (index) => whole.subarray(index, index + 1));
  const cutAt = (whole: Buffer, at: number) => [whole.subarray(0, at), whole.subarray(at)];
  return [
    { name: 'drip', body: single(sample), fate: 'stored' },
    { name: 'drip that ends too early', body: single(sample.subarray(0, 40)), fate: 400 },
    { name: 'drip of no UTF-8', body: single(around('{"a":"#"}', bytes(0xff))), fate: 400 },
    { name: 'no chunk at all', body: [], fate: 400 },
    ...times(
      sample.length - 1,
      (index): HostileBody => ({
        name: `two chunks, cut at ${index + 1}`,
        body: cutAt(sample, index + 1),
        fate: 'stored',
      }),
    ),
  ];
}

/** All of them. No two are the same. */
export const hostileBodies: readonly HostileBody[] = distinct([
  ...brokenStructures(),
  ...brokenLiterals(),
  ...numbers(),
  ...damaged(),
  ...characters(),
  ...encodings(),
  ...naughty(),
  ...names(),
  ...sizes(),
  ...types(),
  ...headers(),
  ...drips(),
]);

function distinct(bodies: readonly HostileBody[]): HostileBody[] {
  const seen = new Set<string>();
  return bodies.filter(({ body, headers: own }) => {
    const pieces =
      typeof body === 'string' || Buffer.isBuffer(body)
        ? Buffer.from(body).toString('latin1')
        : body.map((piece) => piece.toString('latin1')).join('|');
    const identity = JSON.stringify(own ?? null) + pieces;
    if (seen.has(identity)) return false;
    seen.add(identity);
    return true;
  });
}

/** The bytes of a body, chunked or not. */
export function bytesOf({ body }: HostileBody): Buffer {
  if (typeof body === 'string') return Buffer.from(body);
  return Buffer.isBuffer(body) ? body : Buffer.concat(body);
}
