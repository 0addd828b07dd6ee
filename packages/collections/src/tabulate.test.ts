import { describe, expect, it } from 'vitest';
import { encodeCsv, encodeHtml, escapeFormulas, tabulate } from './tabulate.js';

describe('tabulate', () => {
  it('makes a column of each property, in the order of appearance, and leaves missing and null cells empty', () => {
    expect(
      tabulate(
        [
          { _id: '1', a: 1 },
          { _id: '2', b: null, a: { c: [true] } },
        ],
        ['_id'],
      ),
    ).toEqual({
      columns: ['_id', 'a', 'b'],
      rows: [
        ['1', '1', ''],
        ['2', '{"c":[true]}', ''],
      ],
    });
  });

  it('takes no inherited property for a value', () => {
    expect(tabulate([{ a: 1 }, JSON.parse('{"constructor":"x"}')]).rows).toEqual([
      ['1', ''],
      ['', 'x'],
    ]);
  });

  it('refuses a table of more than a million cells', () => {
    const documents = Array.from({ length: 1_001 }, (_, n) => ({ [`field${n}`]: n }));
    expect(() => tabulate(documents)).toThrowError('more than 1000000 cells');
    expect(tabulate(documents.slice(0, 1_000)).rows).toHaveLength(1_000);
  });
});

describe('encodeCsv', () => {
  it('quotes what RFC 4180 wants quoted and ends each line with CRLF', () => {
    const table = tabulate([{ a: 'x,y', 'b"': 'say "hi"', c: 'two\r\nlines', d: ' blank ', e: '-1' }]);
    expect(encodeCsv(table)).toBe('a,"b""",c,d,e\r\n"x,y","say ""hi""","two\r\nlines"," blank ",-1\r\n');
  });

  it('leaves texts that begin like formulas as they are unless they are escaped', () => {
    const documents = [{ a: '=1+1', b: '+1', c: '-x', d: '@SUM(A1)', e: '\tx', f: -5, g: 'a=b', '=h': 'x' }];
    expect(encodeCsv(tabulate(documents))).toBe('a,b,c,d,e,f,g,=h\r\n=1+1,+1,-x,@SUM(A1),"\tx",-5,a=b,x\r\n');
    expect(encodeCsv(tabulate(escapeFormulas(documents)))).toBe(
      "a,b,c,d,e,f,g,'=h\r\n'=1+1,'+1,'-x,'@SUM(A1),'\tx,-5,a=b,x\r\n",
    );
  });
});

describe('encodeHtml', () => {
  it('lets no text become markup', () => {
    const html = encodeHtml('a<b', tabulate([{ '<i>': '<script>alert(1)</script>', q: `"'&` }]));
    expect(html).toContain('<title>a&lt;b</title>');
    expect(html).toContain('<th scope="col">&lt;i&gt;</th>');
    expect(html).toContain('<td>&lt;script&gt;alert(1)&lt;/script&gt;</td><td>&quot;&#39;&amp;</td>');
    expect(html).not.toContain('<script');
  });
});
