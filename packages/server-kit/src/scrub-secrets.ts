/**
 * The last net before the log: takes secrets out of text by their form, wherever they stand: in the message of an error of a driver, in a stack, in a path. Fields that are known to be
 * secrets never come that far (`logger.ts`).
 */

/** What is written instead. */
const hidden = '[secret]';
/** What a value in a text can be made of; nothing that ends a JSON string. */
const value = String.raw`[^\s"'\\&;,)}\]]+`;

const patterns: readonly (readonly [RegExp, string])[] = [
  // Keys keep their public id, by which they are found in the list.
  [/tw_([0-9A-Za-z]{12})_[0-9A-Za-z]{38}/g, `tw_$1_${hidden}`],
  [/tk_[0-9A-Za-z]{32}/g, `tk_${hidden}`],
  [/whsec_[0-9A-Za-z+/=]+/g, `whsec_${hidden}`],
  // JSON Web Tokens: their header is an object, which begins so in base64.
  [/eyJ[\w-]+\.[\w-]*\.[\w-]*/g, hidden],
  // The password of a URL (RFC 3986, section 3.2.1).
  [/(:\/\/[^\s:/@"'\\]*):[^\s@"'\\]+@/g, `$1:${hidden}@`],
  [new RegExp(String.raw`\b(Bearer|Basic) +${value}`, 'gi'), `$1 ${hidden}`],
  [
    new RegExp(String.raw`\b(x-apikey|apikey|token|ticket|jwt|password|secret|tidewire_session)=${value}`, 'gi'),
    `$1=${hidden}`,
  ],
];

/** The text without secrets; what was JSON stays JSON. */
export function scrubSecrets(text: string): string {
  return patterns.reduce((scrubbed, [pattern, replacement]) => scrubbed.replace(pattern, replacement), text);
}
