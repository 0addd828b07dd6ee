import { describe, expect, it } from 'vitest';
import { readSettingsText } from './settings-text.js';

describe('the text of the settings', () => {
  it('is a patch when every field of it is known', () => {
    expect(readSettingsText('{"realtime": {"global": true}}')).toEqual({
      ok: true,
      patch: { realtime: { global: true } },
    });
    expect(readSettingsText('{}')).toEqual({ ok: true, patch: {} });
  });

  it('names the line of each mistake', () => {
    const text = '{\n  "realtime": {\n    "global": 1,\n    "globl": true\n  },\n  "lgo": {}\n}';
    const reading = readSettingsText(text);
    expect(reading.ok ? [] : reading.problems.map(({ line }) => line).sort()).toEqual([3, 4, 6]);
  });

  it.each(['', '{', '[1', '"x', '{"a":1,}'])('of no JSON says so: %j', (text) =>
    expect(readSettingsText(text)).toMatchObject({ ok: false, problems: [{ line: 1 }] }),
  );

  it.each(['[]', '5', 'null', '"x"'])('is an object, not %s', (text) =>
    expect(readSettingsText(text)).toMatchObject({ ok: false, problems: [{ line: 1 }] }),
  );
});
